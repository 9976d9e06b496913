"""How long we have been watching without a break.

After an outage of Postgres nobody has beaten for its whole length, and whoever judged by that would declare every
worker dead.  So the reaper must first have seen the database for one full lease, in which the living beat again.  The
time is the database's own: when the whole machine slept, our clocks did too.
"""

from __future__ import annotations

from datetime import datetime, timedelta


class Unbroken:
    """The times at which the database answered, as one unbroken stretch or not."""

    def __init__(self, longest_gap: timedelta) -> None:
        self._longest_gap = longest_gap
        self._since: datetime | None = None
        self._last: datetime | None = None

    def seen(self, now: datetime) -> timedelta:
        """The database answered at this moment of its clock; says how long the stretch is."""
        unbroken = self._last is not None and timedelta(0) <= now - self._last <= self._longest_gap
        if self._since is None or not unbroken:
            self._since = now
        self._last = now
        return now - self._since

    def lost(self) -> None:
        """It did not answer."""
        self._last = None
