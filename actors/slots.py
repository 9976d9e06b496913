"""Free places in this process: on the loop for any job, and on a thread for a sync one.

A place is taken when a job is claimed and given back when its function has ended, so that nothing is claimed that
cannot start now: what waits in a worker is nobody's, and a crash is charged to no job that had not begun.
"""

from __future__ import annotations


class Slots:
    """Two counters."""

    def __init__(self, concurrency: int, threads: int) -> None:
        self.concurrency, self._threads = concurrency, min(threads, concurrency)
        self._used = self._used_threads = 0

    @property
    def used(self) -> int:
        return self._used

    @property
    def free(self) -> int:
        return self.concurrency - self._used

    @property
    def free_threads(self) -> int:
        return min(self.free, self._threads - self._used_threads)

    def free_for(self, *, thread: bool) -> int:
        return self.free_threads if thread else self.free

    def take(self, count: int, *, thread: bool) -> None:
        self._used += count
        self._used_threads += count * thread

    def give_back(self, *, thread: bool) -> None:
        self._used -= 1
        self._used_threads -= thread
