"""Threads for sync actors: one wake-up of a thread for many calls, and one of the loop for many results.

To wake a thread costs more than a short job does, and each one that is awake wants the interpreter's lock.  So a call
wakes at most one thread, and that one wakes the next while there is more to take: where calls are short the first
thread has done them all before the next is up, and where one of them waits the next thread is up already.  No call is
bound to a thread before it begins, so none stands behind a slow one while a thread is idle.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

import structlog

log = structlog.get_logger()

Call = Callable[[], None]
Given = tuple[Call, Call, float]  # what to call, what follows, since when it waits


class Threads:
    """A fixed number of daemon threads: a thread that never ends must not keep the process from ending."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._calls: deque[Given] = deque()
        self._waking = False  # a thread has been woken, and has not looked for a call since
        self._wakes: SimpleQueue[bool] = SimpleQueue()  # whether to live on
        self._done: deque[Call] = deque()
        self._woken = False
        self._loop = asyncio.get_running_loop()
        for number in range(count):
            threading.Thread(target=self._live, name=f"actor {number}", daemon=True).start()

    def run(self, call: Call, then: Call) -> None:
        """Call on a thread, in a context of its own; `then` runs on the loop.  Neither may raise."""
        self._calls.append((call, then, time.monotonic()))
        self._wake_one()

    def waits(self) -> float:
        """For how many seconds the oldest call has waited for a thread."""
        with contextlib.suppress(IndexError):
            return time.monotonic() - self._calls[0][2]
        return 0.0

    def leave(self) -> None:
        """Give up on what no thread has begun: it is followed up without having been called."""
        while taken := self._take():
            taken[1]()

    def stop(self) -> None:
        for _ in range(self.count):
            self._wakes.put(False)

    def _live(self) -> None:
        while self._wakes.get():
            self._waking = False  # before the look: a call that comes during it wakes one more
            while taken := self._take():
                self._work(*taken)

    def _take(self) -> Given | None:
        with contextlib.suppress(IndexError):
            return self._calls.popleft()
        return None

    def _work(self, call: Call, then: Call, _: float) -> None:
        if self._calls:
            self._wake_one()
        try:
            contextvars.copy_context().run(call)
        except BaseException:  # a middleware that ends its thread: the attempt is over, and others need the thread
            log.exception("call_broken")
        self._done.append(then)
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends, the lease with it
                self._loop.call_soon_threadsafe(self._collect)

    def _wake_one(self) -> None:
        if not self._waking:
            self._waking = True
            self._wakes.put(True)

    def _collect(self) -> None:
        self._woken = False  # before the look: a result that comes during it wakes us again
        while self._done:
            self._done.popleft()()
