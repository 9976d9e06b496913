"""One private server in one folder: start, stop, kill, pause, and know it again.

What must stay the same over a restart (ports, passwords) is kept beside its data; the process is on record,
so that whoever comes after a SIGKILL of everything adopts it or stops it.  Adopting asks the server itself
whether it answers: a process on record may be frozen or half down.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from deploy.machine.ports import free_ports
from deploy.machine.processes import POLL_SECONDS, Process, children, read_record, write_record


class ServerFailed(Exception):
    """A server did not come up; the message ends with the last lines of its log."""


class Instance(ABC):
    name: str
    port_names: tuple[str, ...]
    start_seconds: float
    stop_seconds: float
    stop_signal: int

    def __init__(self, folder: Path, log: Path | None = None) -> None:
        self.folder = folder.resolve()
        self.log = log or self.folder / f"{self.name}.log"
        self.record = self.folder / "process.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._kept = _read(self.folder / "instance.json")
        self._child: subprocess.Popen[bytes] | None = None
        self.password = str(self._kept.get("password") or secrets.token_urlsafe(18))

    @property
    def ports(self) -> dict[str, int]:
        return {name: int(str(self._kept[name])) for name in self.port_names}

    @property
    def process(self) -> Process | None:
        return read_record(self.record)

    def start(self) -> None:
        """Return when it answers: the one on record if it does, else a new one."""
        if (running := self.process) is not None:
            if self.answers():
                return
            self._stop(running)
        self._keep(free_ports(list(self.port_names), {n: int(str(self._kept.get(n, 0))) for n in self.port_names}))
        self.prepare()
        process = self.spawn()
        write_record(self.record, process)
        self._wait_until_it_answers(process)

    def alive(self) -> bool:
        if self._child is not None:
            self._child.poll()  # or it would stay as a zombie
        return self.process is not None

    def stop(self) -> None:
        if (running := self.process) is not None:
            self._stop(running)
        self.record.unlink(missing_ok=True)

    def kill(self) -> None:
        """As a power cut would: no chance to write anything down."""
        if (running := self.process) is not None:
            running.send(signal.SIGSTOP)  # or it replaces the first that dies, and its data are in use when it is gone
            everybody = [Process.of(pid) for pid in (*self.members(running.pid), running.pid)]
            for one in everybody:
                one.send(signal.SIGKILL)
            for one in everybody:
                one.wait(10)
        self.record.unlink(missing_ok=True)

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def members(self, pid: int) -> list[int]:
        """Its child processes, deepest first."""
        return [member for child in children(pid) for member in [*self.members(child), child]]

    @abstractmethod
    def prepare(self) -> None:
        """Make what the first start needs; a second call changes nothing."""

    @abstractmethod
    def spawn(self) -> Process: ...

    @abstractmethod
    def answers(self) -> bool:
        """Whether a client would be served now."""

    @abstractmethod
    def environ(self) -> dict[str, str]:
        """Its address, under the name that everybody knows."""

    def run(self, command: list[str], environ: dict[str, str], cwd: Path | None = None) -> Process:
        if self._child is not None:
            self._child.poll()  # a killed one bears its number until it is reaped: Postgres would find it running
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                command,
                env=environ,
                cwd=cwd or self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal must reach the supervisor alone, or nothing can drain
            )
        self._child = child
        return Process.of(child.pid)

    def last_lines(self, count: int = 12) -> str:
        return last_lines(self.log, count)

    def _wait_until_it_answers(self, process: Process) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self.answers():
            if not self._reaped_alive(process):
                raise ServerFailed(f"{self.name} ended while starting:\n{self.last_lines()}")
            if time.monotonic() > deadline:
                process.stop(5, self.stop_signal)
                raise ServerFailed(f"{self.name} did not answer in {self.start_seconds:.0f} s:\n{self.last_lines()}")
            time.sleep(POLL_SECONDS)

    def _reaped_alive(self, process: Process) -> bool:
        if self._child is not None:
            self._child.poll()
        return process.alive()

    def _stop(self, running: Process) -> None:
        running.send(signal.SIGCONT)  # a paused server cannot hear
        for member in self.members(running.pid):
            _signal(member, signal.SIGCONT)
        running.stop(self.stop_seconds, self.stop_signal)

    def _signal_all(self, number: int) -> None:
        if (running := self.process) is not None:
            for pid in [running.pid, *self.members(running.pid)]:
                _signal(pid, number)

    def _keep(self, ports: dict[str, int]) -> None:
        self._kept = {**self._kept, **ports, "password": self.password}
        path = self.folder / "instance.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(self._kept))


def last_lines(path: Path, count: int) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(f"    {line}" for line in lines[-count:]) or "    (its log is empty)"


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _read(path: Path) -> dict[str, object]:
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
