"""Threads for sync actors, and one wake-up of the loop for many results.

The standard executor wakes the loop once a result; at thousands of short jobs a second that is most of the cost.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

Call = Callable[[], None]


class Threads:
    """A fixed number of daemon threads: a thread that never ends must not keep the process from ending."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._calls: SimpleQueue[tuple[Call, Call] | None] = SimpleQueue()
        self._done: deque[Call] = deque()
        self._woken = False
        self._loop = asyncio.get_running_loop()
        for number in range(count):
            threading.Thread(target=self._work, name=f"actor {number}", daemon=True).start()

    def run(self, call: Call, then: Call) -> None:
        """Call on a thread; `then` runs on the loop.  Neither may raise."""
        self._calls.put((call, then))

    def stop(self) -> None:
        for _ in range(self.count):
            self._calls.put(None)

    def _work(self) -> None:
        while (job := self._calls.get()) is not None:
            call, then = job
            call()
            self._done.append(then)
            if not self._woken:
                self._woken = True
                try:
                    self._loop.call_soon_threadsafe(self._collect)
                except RuntimeError:
                    return  # the loop is closed: the process ends, the lease with it

    def _collect(self) -> None:
        self._woken = False  # before the look: a result that comes during it wakes us again
        while self._done:
            self._done.popleft()()
