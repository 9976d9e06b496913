"""What each part has computed: processor time by role, which tells more than a rate does on a shared machine.

A server's children that have ended count through their parent, so that a sum never falls.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from tests.journey.stack import Stack

TICKS: Final = os.sysconf("SC_CLK_TCK")
ROLES: Final = ("gateway", "recorder", "scheduler")
SERVERS: Final = {"postgres": " -D ", "rabbitmq": "beam"}  # by a word of the command line of the one that the rest are
FIELDS: Final = 11  # of /proc/PID/stat, behind the name: utime, stime, cutime, cstime


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, of its own and of the kernel's time."""
    return sum(_times(pid)[:2]) / TICKS


def computed(stack: Stack) -> dict[str, float]:
    """The seconds of each role so far: postgres, rabbitmq, workers, gateway, recorder, scheduler."""
    ours = {role: [stack.processes[role].pid] for role in ROLES if role in stack.processes}
    workers = [stack.processes["actors"].pid] if "actors" in stack.processes else []
    return computed_by({**ours, "workers": workers}, stack.folder.parent)


def computed_by(roots: Mapping[str, Iterable[int]], home: Path) -> dict[str, float]:
    """The seconds so far of the processes of these roles with their children, and of both servers of this folder."""
    families = {role: [pid for root in pids for pid in _family(root)] for role, pids in roots.items()}
    families |= {server: [pid for root in _servers(home, server) for pid in _family(root)] for server in SERVERS}
    return {role: sum(_seconds(pid) for pid in pids) for role, pids in families.items() if pids}


def micros_a_job(before: dict[str, float], after: dict[str, float], jobs: int) -> dict[str, float]:
    """What one job has cost each role meanwhile."""
    return {role: (seconds - before.get(role, 0.0)) / jobs * 1e6 for role, seconds in sorted(after.items())}


def _servers(home: Path, server: str) -> list[int]:
    words = SERVERS[server]
    return [pid for pid, command in _commands() if f"{home}/{server}" in command and words in command]


def _seconds(pid: int) -> float:
    with contextlib.suppress(OSError):
        return sum(_times(pid)) / TICKS
    return 0.0  # it has ended, and counts through its parent


def _family(pid: int) -> set[int]:
    """A process and its children: the supervisor, the masters that it started, and theirs."""
    found = {pid}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                found |= _family(int(child))
    return found


def _commands() -> list[tuple[int, str]]:
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append((int(line.parent.name), line.read_bytes().replace(b"\0", b" ").decode(errors="replace")))
    return found


def _times(pid: int) -> list[int]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(field) for field in fields[FIELDS : FIELDS + 4]]
