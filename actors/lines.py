"""What running attempts have logged and nobody has written yet: for each its last lines, bounded in number and bytes.

A line may come from any thread; it waits here until the keeper (attempts/keep.py) has written it.  An attempt that logs
nothing has no lines, and costs nothing.  Knows neither what a line says nor where it goes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

from persistence.attempts.attempt_logs import Piece

MOST_LINES: Final = 500  # of an attempt; the last ones tell more than the first
MOST_BYTES: Final = 128 * 1024  # of an attempt: a hundred at once are 13 MB at most


class Unwritten:
    """Who has lines that are not written; the keeper is told when the first one comes."""

    def __init__(self) -> None:
        self._lines: dict[Lines, None] = {}
        self._lock = threading.Lock()
        self.first_came: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        return len(self._lines)

    def note(self, lines: Lines) -> None:
        with self._lock:
            first = not self._lines
            self._lines[lines] = None
        if first:
            self.first_came()

    def take(self, only: Iterable[Lines] | None = None) -> list[Lines]:
        """All of them, or those among these."""
        with self._lock:
            wanted = list(self._lines) if only is None else [lines for lines in only if lines in self._lines]
            for lines in wanted:
                del self._lines[lines]
        return wanted


unwritten: Final = Unwritten()  # a process has one log, and so one of these


class Lines:
    """Of one attempt."""

    __slots__ = ("_bytes", "_kept_from", "_last", "_lock", "_sizes", "_unwritten", "attempt", "job_id", "lease")

    def __init__(self, job_id: UUID, lease: int, attempt: int) -> None:
        self.job_id, self.lease, self.attempt = job_id, lease, attempt
        self._last, self._kept_from, self._bytes = 0, 1, 0
        self._sizes: deque[int] = deque()  # of the lines that are kept, written or not
        self._unwritten: deque[bytes] = deque()
        self._lock = threading.Lock()

    def add(self, line: bytes) -> None:
        """Keep it; the oldest go when there are too many."""
        with self._lock:
            self._last += 1
            self._sizes.append(len(line))
            self._bytes += len(line)
            self._unwritten.append(line)
            while len(self._sizes) > MOST_LINES or self._bytes > MOST_BYTES:
                self._bytes -= self._sizes.popleft()
                self._kept_from += 1
            first = len(self._unwritten) == 1
            self._forget_the_dropped()
        if first:
            unwritten.note(self)

    def take(self) -> Piece | None:
        """What is to be written; it counts as written from now on."""
        with self._lock:
            lines, self._unwritten = self._unwritten, deque()
            first = self._last - len(lines) + 1
            text = b"\n".join(lines).decode()
            return (
                Piece(self.job_id, self.lease, self.attempt, first, self._last, self._kept_from, text)
                if lines
                else None
            )

    def put_back(self, piece: Piece) -> None:
        """It could not be written."""
        with self._lock:
            self._unwritten.extendleft(reversed(piece.lines.encode().split(b"\n")))
            self._forget_the_dropped()
        unwritten.note(self)

    def _forget_the_dropped(self) -> None:
        while len(self._unwritten) > len(self._sizes):
            self._unwritten.popleft()
