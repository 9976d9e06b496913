"""Leave a process running behind a terminal that gets its prompt back.

The child becomes the leader of a session of its own and shares the terminal's output until it says `settled`; the
parent waits for that word and ends with 0, or with 1 when the child ended without it.  Ctrl-C during the
wait is passed on.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

SETTLED = b"settled"


def fork(log: Path) -> Callable[[], None]:
    """In the child: return the function that says it has settled.  In the parent: never return."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        _wait_and_exit(child, read)
    os.close(read)
    os.setsid()

    def settle() -> None:
        sys.stdout.flush()
        _move_output_to(log)
        os.write(write, SETTLED)
        os.close(write)

    return settle


def _wait_and_exit(child: int, read: int) -> None:
    signal.signal(signal.SIGINT, lambda *_: os.kill(child, signal.SIGINT))
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    word = os.read(read, len(SETTLED))
    os._exit(0 if word == SETTLED else 1)


def _move_output_to(log: Path) -> None:
    """A supervisor that still holds the terminal or a pipe would keep its reader waiting for ever."""
    log.parent.mkdir(parents=True, exist_ok=True)
    target = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    os.close(nothing)
