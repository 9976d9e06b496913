"""Where a picture or a sound lies in the result: so many seconds behind its beginning.

Time runs as in the source, with two exceptions.  A step back, as where transport streams were put together, goes on
from where it was.  A gap of hours, which no container of ours can hold, is closed.  Pictures and sound each have a
line of their own: they make such a step at the same place of the film, but not at the same place of the file.
"""

from __future__ import annotations

from typing import Final

BACK_SECONDS: Final = 0.5  # less is a matter of order
MOST_GAP_SECONDS: Final = 6 * 3_600.0  # mp4 counts to 2³¹ ninety-thousandths of a second between two pictures


class Timeline:
    """Of one stream."""

    def __init__(self, starts: float, most: float | None) -> None:
        self._starts, self._most = starts, most
        self._shift = self._due = 0.0

    @property
    def reached(self) -> float:
        """How many seconds of the source are behind it."""
        return self._due - self._shift

    def place(self, when: float, lasts: float) -> float | None:
        """The second of what lies there in the source; None beyond what is wanted."""
        at = when - self._starts + self._shift
        if self._most is not None and at >= self._most:
            return None
        if not -BACK_SECONDS <= at - self._due <= MOST_GAP_SECONDS:
            self._shift += self._due - at
            at = self._due
        self._due = max(0.0, at) + lasts
        return max(0.0, at)
