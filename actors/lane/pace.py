"""How many sync jobs may be claimed beyond the free threads: what they do in a moment, if all are quick.  Pure.

A claim of sixteen jobs costs each of them half as much again as one of sixty, and sixteen no-ops are done before it is
answered.  Async jobs are claimed by the hundred and begin one after the other; sync jobs that have all been quick
lately are given as much.  One slow job in a hundred is enough to end that.
"""

from __future__ import annotations

from typing import Final

AHEAD_SECONDS: Final = 0.02  # of work for one thread
QUICK_SECONDS: Final = 0.001  # the mean, over which threads are no longer what holds a job up
MEMORY: Final = 64  # jobs
UNKNOWN: Final = 0.064  # as slow: some hundreds have to be quick before anything is claimed ahead


class Pace:
    """The mean time of the last sync jobs of one lane."""

    def __init__(self) -> None:
        self._mean = UNKNOWN

    def note(self, seconds: float) -> None:
        """One has run for so long."""
        self._mean += (seconds - self._mean) / MEMORY

    def forget(self) -> None:
        """What was claimed ahead did not come to its thread: whatever they were, they are quick no longer."""
        self._mean = UNKNOWN

    @property
    def ahead(self) -> int:
        return int(AHEAD_SECONDS / max(self._mean, 1e-5)) if self._mean < QUICK_SECONDS else 0
