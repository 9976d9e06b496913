"""Read the witness while it grows: what has begun, what has ended, what is in flight in which process."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from deploy.proof.witness import Event, parse


class Book:
    """Everything the witness has said so far; `catch_up` reads what is new."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open("rb")
        self._rest = b""
        self.events: list[Event] = []
        self.begun: set[str] = set()
        self.ended: set[str] = set()
        self.pids: dict[int, float] = {}  # each process that has begun a job, and when it first did
        self._open: dict[int, set[str]] = defaultdict(set)

    def close(self) -> None:
        self._file.close()

    def catch_up(self) -> None:
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for text in lines:
            self._enter(parse(text.decode()))

    def in_flight(self, pid: int | None = None) -> int:
        """Jobs that have begun and not ended, in one process or in all."""
        return sum(len(jobs) for number, jobs in self._open.items() if pid in (None, number))

    def forget(self, pid: int) -> None:
        """It was killed: what it held will not end there."""
        self._open.pop(pid, None)

    def _enter(self, event: Event) -> None:
        self.events.append(event)
        if event.began:
            self.pids.setdefault(event.pid, event.at)
            self.begun.add(event.job)
            self._open[event.pid].add(event.job)
        else:
            self.ended.add(event.job)
            self._open[event.pid].discard(event.job)
