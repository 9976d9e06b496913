"""The witness: one short line when a job begins and one when it ends, appended by the job itself.

A line is one `write` to a file opened for appending, which is never mixed with another's, and which a SIGKILL of
its writer cannot take back.  Times are the machine's monotonic clock: all processes share it and nobody sets it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "+", "-"
VARIABLE = "PROOF_WITNESS"  # the file, for the processes that write to it


@dataclass(frozen=True, slots=True)
class Event:
    """A job began or ended in a process."""

    began: bool
    job: str
    pid: int
    at: float


class Witness:
    """A writer; each process of a contestant opens its own."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def began(self, job: str) -> None:
        self._write(BEGIN, job)

    def ended(self, job: str) -> None:
        self._write(END, job)

    def _write(self, sign: str, job: str) -> None:
        os.write(self._file, line(Event(sign == BEGIN, job, os.getpid(), time.monotonic())).encode())


def line(event: Event) -> str:
    return f"{BEGIN if event.began else END} {event.job} {event.pid} {event.at:.6f}\n"


def parse(text: str) -> Event:
    """The event of one line; a line that is none is an error: a proof must not skip what it cannot read."""
    sign, job, pid, at = text.split()
    if sign not in (BEGIN, END):
        raise ValueError(f"no line of a witness: {text!r}")
    return Event(sign == BEGIN, job, int(pid), float(at))
