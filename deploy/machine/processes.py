"""Know a process again: by its number and the time it started.

A process number alone is reused, and a pid file outlives a SIGKILL; nothing here signals a process
whose start time differs from the one on record.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ASK_AGAIN_SECONDS = 2.0
POLL_SECONDS = 0.05  # short against every wait in this room, long against a look into /proc


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(pid, start_time(pid) or "")

    def alive(self) -> bool:
        return bool(self.started) and start_time(self.pid) == self.started

    def send(self, number: int) -> bool:
        """Signal this process; False when it is gone."""
        if not self.alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def wait(self, seconds: float) -> bool:
        """True once it is gone."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def stop(self, seconds: float, number: int = signal.SIGTERM) -> bool:
        """Ask it to end, kill it when it does not; False when it had to be killed.

        Asks again and again: a node that is just booting does not hear the first time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.send(number)
            if self.wait(min(ASK_AGAIN_SECONDS, seconds)):
                return True
        self.send(signal.SIGKILL)
        self.wait(5)
        return False


def start_time(pid: int) -> str | None:
    """A token that differs between two bearers of one number; None when there is no such process (or only a zombie)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_time_by_ps(pid)
    state, *rest = stat.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    threads, started = int(rest[16]), rest[18]
    dead = state == "X" or (state == "Z" and threads <= 1)  # its other threads may still hold its ports
    return None if dead else f"{_boot()}/{started}"


def children(pid: int) -> Iterator[int]:
    """Direct children, by /proc; none where there is no /proc."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == pid:
            yield int(stat.parent.name)


def descendants(pid: int) -> Iterator[int]:
    """Children and theirs, the deepest first."""
    for child in children(pid):
        yield from descendants(child)
        yield child


def write_record(path: Path, process: Process) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(json.dumps(asdict(process)))
    written.replace(path)


def read_record(path: Path) -> Process | None:
    """The process on record if it still lives."""
    try:
        process = Process(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return process if process.alive() else None


def _boot() -> str:
    """Start times count from boot: two boots may agree on one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return ""


def _start_time_by_ps(pid: int) -> str | None:
    ps = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = ps.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None
