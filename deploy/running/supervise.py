"""Keep processes and servers running; drain them in the reverse order of their start.

A process that dies is started again after a pause that doubles; one that dies five times while the whole is still
coming up ends the attempt with the last lines of its log.  Each child has a session of its own, so Ctrl-C in the
terminal reaches this supervisor alone, which then lets every child finish what it holds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.machine.processes import POLL_SECONDS, Process, write_record
from deploy.servers.instance import ServerFailed, last_lines
from deploy.servers.sources import Server

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 30.0  # who lived this long died of something new
MISCONFIGURED = "ended with 2"  # it has said which setting is wrong; another try would say the same
DEATHS_AT_START = 5

Say = Callable[[str, str], None]


class KeepsDying(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    words: list[str]
    stop_seconds: float


def pause_before_restart(deaths: int) -> float:
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (deaths - 1)))


class Child:
    """One role's process and the story of its deaths."""

    def __init__(self, role: Role, environ: dict[str, str], log: Path, record: Path) -> None:
        self.role = role
        self.deaths = 0
        self.due = 0.0
        self._environ = environ
        self.log = log
        self._record = record
        self._popen: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.role.words,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started = time.monotonic()
        write_record(self._record, Process.of(self._popen.pid))

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def bury(self) -> str | None:
        """How it died, once per death; its own children, should it have left some, are asked to end too."""
        if self._popen is None or (code := self._popen.poll()) is None:
            return None
        self.signal_group(signal.SIGTERM)
        if time.monotonic() - self._started > STEADY_SECONDS:
            self.deaths = 0
        self.deaths += 1
        self.due = time.monotonic() + pause_before_restart(self.deaths)
        self._popen = None
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"

    def ask_to_end(self) -> None:
        if self.running and self._popen is not None:
            self._popen.send_signal(signal.SIGTERM)

    def signal_group(self, number: int) -> None:
        if self._popen is None:
            return
        try:
            os.killpg(self._popen.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS says the latter for a group of zombies
            return

    def forget(self) -> None:
        self._record.unlink(missing_ok=True)


class Supervisor:
    def __init__(self, servers: Sequence[Server], children: Sequence[Child], say: Say) -> None:
        self._servers = servers
        self._children = children
        self._say = say
        self._server_due: dict[str, float] = {}

    def start(self) -> None:
        for child in self._children:
            child.start()

    def tick(self, *, coming_up: bool = False) -> None:
        """Look once at everything; start again what is dead and due."""
        for server in self._servers:
            if not server.alive():
                self._restart_server(server)
        for child in self._children:
            self._look_at(child, coming_up)

    def drain(self, hurry: Callable[[], bool]) -> None:
        """Ask each to end and wait for it, last started first; `hurry` turns the wait into a kill."""
        for child in reversed(self._children):
            if child.running:
                self._say(child.role.name, "draining")
                child.ask_to_end()
                self._wait_for(child, hurry)
            child.signal_group(signal.SIGKILL)
            child.forget()

    def _look_at(self, child: Child, coming_up: bool) -> None:
        if died := child.bury():
            if coming_up and (died == MISCONFIGURED or child.deaths >= DEATHS_AT_START):
                times = "" if died == MISCONFIGURED else f", for the {child.deaths}th time"
                raise KeepsDying(f"{child.role.name} {died}{times}:\n{last_lines(child.log, 15)}")
            pause = pause_before_restart(child.deaths)
            self._say(child.role.name, f"{died}; starting again in {pause:.1f} s (log: {child.log})")
        if not child.running and time.monotonic() >= child.due:
            child.start()

    def _restart_server(self, server: Server) -> None:
        if time.monotonic() < self._server_due.get(server.name, 0):
            return
        self._say(server.name, "died; starting it again")
        try:
            server.start()
            self._say(server.name, "is back")
        except ServerFailed as failed:
            self._say(server.name, f"{failed}\n  trying again in {LONGEST_PAUSE:.0f} s")
            self._server_due[server.name] = time.monotonic() + LONGEST_PAUSE

    def _wait_for(self, child: Child, hurry: Callable[[], bool]) -> None:
        deadline = time.monotonic() + child.role.stop_seconds
        while child.running and not hurry():
            if time.monotonic() > deadline:
                self._say(child.role.name, f"did not end in {child.role.stop_seconds:.0f} s; killed")
                return
            time.sleep(POLL_SECONDS)
