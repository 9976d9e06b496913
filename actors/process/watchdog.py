"""How long the lane's loop has stood still while this process ran.

A process that was frozen as a whole, by a signal or with its machine, finds every clock far ahead when it wakes.  Its
loop has blocked nothing: what a look finds beyond the time between two looks is not held against it.
"""

from __future__ import annotations

from typing import Final

ALLOWANCE: Final = 2.0  # a look may come this many times later than it should, on a busy machine


class Watchdog:
    """Looks at the loop's tick, about every so often; knows no clock of its own."""

    def __init__(self, every_seconds: float, now: float, ticked: float) -> None:
        self._most, self._looked, self._ticked = every_seconds * ALLOWANCE, now, ticked
        self._stuck = 0.0

    def look(self, now: float, ticked: float) -> float:
        """For how many seconds the loop has not ticked, as far as we were awake to see it."""
        seen, self._looked = min(now - self._looked, self._most), now
        self._stuck = self._stuck + seen if ticked == self._ticked else 0.0
        self._ticked = ticked
        return self._stuck
