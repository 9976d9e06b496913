"""What a process that a worker has started does to itself first: its life is tied to the worker's, and bounded."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final

PR_SET_PDEATHSIG: Final = 1
LIKELY_VICTIM: Final = "600"  # of 1000: where the machine's memory ends, it goes before its worker does


def end_with(parent: int) -> None:
    """Be killed when the parent ends, however that ends; only Linux can, elsewhere the socket's end is the word."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before that was said
        os._exit(0)


def leave_the_end_to_the_parent() -> None:
    """A signal to everybody is the worker's to obey: who drains still needs its processes.

    Heard and not ignored: an ignored signal is ignored by the programs that are started from here as well.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _heard)


def no_core() -> None:
    """To write one takes minutes and a disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def go_first() -> None:
    """Where the machine runs out of memory."""
    with contextlib.suppress(OSError):  # not Linux, or not allowed
        Path("/proc/self/oom_score_adj").write_text(LIKELY_VICTIM)


def most_memory(size_bytes: int) -> None:
    """How much may be asked for at all: MemoryError where it is asked, before the parent's look can find it."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard == resource.RLIM_INFINITY or size_bytes < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (size_bytes, hard))


def _heard(_: int, __: FrameType | None) -> None: ...
