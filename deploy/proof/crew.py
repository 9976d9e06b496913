"""A contestant's processes under the supervisor that `deploy/up` has: whoever is killed is started again.

Servers are not its charge: the fault that kills one also brings it back.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

from deploy.machine.processes import Process, children, descendants, read_record
from deploy.proof.contestant import Contestant
from deploy.running.supervise import Child, Supervisor

KEEP_SECONDS = 0.1


class Crew:
    def __init__(self, contestant: Contestant) -> None:
        folder = self._folder = contestant.folder
        self._contestant = contestant
        children = [
            Child(role, contestant.environ, folder.log(role.name), folder.record(role.name))
            for role in contestant.roles
        ]
        self._supervisor = Supervisor([], children, self._note)
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper")

    def start(self) -> None:
        self._supervisor.start()

    def is_up(self) -> bool:
        """Whether it could do a job now; KeepsDying when it never will."""
        self._supervisor.tick(coming_up=True)
        return self._contestant.missing() is None

    def keep(self) -> None:
        """Start again whoever dies, from now on."""
        self._keeper.start()

    def stop(self, hurry: Callable[[], bool]) -> None:
        """A drain where nothing is left to do is quick; in a hurry they are killed, and what they have started too."""
        self._ended.set()
        if self._keeper.is_alive():
            self._keeper.join()
        below = [Process.of(pid) for role in self._contestant.roles for pid in self.below(role.name)]
        self._supervisor.drain(hurry)
        for process in below:
            process.send(signal.SIGKILL)

    def process(self, role: str) -> Process | None:
        return read_record(self._folder.record(role))

    def below(self, role: str) -> set[int]:
        """What the process of this role has started, and what those have."""
        process = self.process(role)
        return set(descendants(process.pid)) if process else set()

    def hands(self) -> set[int]:
        """The worker processes themselves, whether or not they have begun a job: who has no children."""
        return {pid for pid in self.below("workers") if not any(children(pid))}

    def _keep(self) -> None:
        while not self._ended.wait(KEEP_SECONDS):
            self._supervisor.tick()

    def _note(self, name: str, text: str) -> None:
        with self._folder.log("supervisor").open("a") as log:
            log.write(f"{time.monotonic():.1f} {name}: {text}\n")
