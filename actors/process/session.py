"""End whatever a worker process has left behind: its session is what it and its descendants have in common.

A process group would not do: each child process has one of its own, so that it can be ended with all that it has
started.  Only Linux tells sessions; elsewhere the group is ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROCESSES: Final = Path("/proc")
LOOKS: Final = 3  # a process that is forking while it is looked for is found by the next


def end_session(leader: int) -> None:
    """Kill all that is left of it; the leader itself is dead."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for _ in range(LOOKS):
        if not (left := list(_members(leader))):
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _members(leader: int) -> Iterator[int]:
    for entry in PROCESSES.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, session = entry.read_text(errors="replace").rpartition(")")[2].split()[:4]
            if int(session) == leader and state not in "ZX":
                yield int(entry.parent.name)
