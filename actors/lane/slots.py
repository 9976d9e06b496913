"""Free places in this process: on the loop for any job, on a thread for a sync one, in a child process for an isolated.

A place is taken when a job is claimed and given back when its function has ended, so that nothing is claimed that
cannot start within a moment: what waits in a worker is nobody's, and a crash is charged to few that had not begun.
"""

from __future__ import annotations

from actors.attempts.craft import Place


class Slots:
    """A counter for all, and one for each kind of place that is scarcer."""

    def __init__(self, concurrency: int, threads: int, children: int = 0) -> None:
        self.concurrency = concurrency
        self._most = {Place.LOOP: concurrency, Place.THREAD: min(threads, concurrency), Place.CHILD: children}
        self._taken = dict.fromkeys(Place, 0)
        self._used = 0

    @property
    def used(self) -> int:
        return self._used

    @property
    def free(self) -> int:
        return self.concurrency - self._used

    @property
    def free_threads(self) -> int:
        return self.free_for(Place.THREAD)

    def free_for(self, place: Place, *, ahead: int = 0) -> int:
        """Places of one kind; so many more of what will be free in a moment."""
        if place is Place.LOOP:
            return self.concurrency - self._used
        return max(0, min(self.free, self._most[place] + ahead - self._taken[place]))

    def take(self, count: int, place: Place) -> None:
        self._used += count
        self._taken[place] += count

    def give_back(self, place: Place) -> None:
        self._used -= 1
        self._taken[place] -= 1
