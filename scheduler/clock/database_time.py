"""The database's clock, read off our own that never jumps; pure.

Postgres judges what is due, so a clock that sleeps until an instant has to know when that is here.  Each answer of the
database bounds the difference: its time was read between question and answer.  The bounds of the last few answers are
laid over one another.  Where they contradict, the database's clock was set (or this machine slept), and what was known
before is forgotten; so a jump is noticed with the first answer after it, and our own wall clock plays no part.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import Final, NamedTuple

ANSWERS: Final = 16  # eight seconds of looks, in which two quartzes drift apart by less than a millisecond


class _Bounds(NamedTuple):
    """Of the difference: the database's seconds since 1970 less our monotonic ones."""

    least: float
    most: float


class DatabaseTime:
    """Unknown until the first answer."""

    def __init__(self) -> None:
        self._bounds: deque[_Bounds] = deque(maxlen=ANSWERS)
        self._difference = 0.0
        self.known = False

    def told(self, now: datetime, asked: float, answered: float) -> bool:
        """The database said `now` to what was asked and answered at these moments of `time.monotonic`.

        Says whether its clock was set since it was asked before.
        """
        fresh = _Bounds(now.timestamp() - answered, now.timestamp() - asked)
        was_set = any(fresh.least > before.most or fresh.most < before.least for before in self._bounds)
        if was_set:
            self._bounds.clear()
        self._bounds.append(fresh)
        least, most = max(b.least for b in self._bounds), min(b.most for b in self._bounds)
        self._difference, self.known = (least + most) / 2, True
        return was_set

    def forget(self) -> None:
        self._bounds.clear()
        self.known = False

    def until(self, instant: datetime) -> float:
        """Seconds from now on; less than 0 for what is past."""
        return instant.timestamp() - self._difference - time.monotonic()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._difference + time.monotonic(), UTC)
