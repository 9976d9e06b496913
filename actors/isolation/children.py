"""The child processes of a worker: started when a job first wants one, used again, and ended after a while.

One that has done so many attempts is replaced, for what libraries keep; so is one whose function has left something
running behind, and one that holds more than half of the memory that the next job may take.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal

from actors.attempts.craft import Actor
from actors.codec import is_job
from actors.context import Context, current
from actors.declared.job_options import JobOptions
from actors.isolation.child import MB, Child
from wire.metrics import table
from wire.slices import Children as ChildrenSettings

Why = Literal["recycled", "idle"]
Apart = Callable[..., Coroutine[Any, Any, Any]]


class Children:
    """Of one worker process."""

    def __init__(self, settings: ChildrenSettings, environment: Mapping[str, str] | None = None) -> None:
        self._settings, self._environment = settings, environment
        self.most = settings.children
        self._places = asyncio.Semaphore(settings.children)
        self._free: list[Child] = []  # the one that was used last is the last
        self._busy: set[Child] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._resting: asyncio.TimerHandle | None = None

    def apart(self, actor: Actor) -> Apart | None:
        """What runs in the worker in place of a function that runs in a child process; None for one that does not."""
        options: JobOptions | None = actor.options["job"] if is_job(actor) else None
        if options is None or options.isolation is None:
            return None
        memory_mb = options.memory_mb or self._settings.child_memory_mb

        async def run(**payload: Any) -> Any:
            return await self._run(current.get(), payload, memory_mb)

        return run

    async def stop(self) -> None:
        """End those that are free; a second time is fine."""
        self._leave(self._free, "idle")
        if self._resting:
            self._resting.cancel()
        if self._leaving:
            await asyncio.wait(self._leaving)

    def look(self) -> None:
        """What stands here now, for the metrics."""
        table.CHILDREN.set(len(self._busy), "busy")
        table.CHILDREN.set(len(self._free), "free")
        table.CHILDREN_MEMORY.set(sum(one.seen for one in self._busy) + sum(one.taken() for one in self._free))

    async def _run(self, job: Context, payload: Mapping[str, Any], memory_mb: int) -> object:
        async with self._places:
            child = self._fit(memory_mb) or await self._started()
            self._busy.add(child)
            try:
                return await child.run(job, payload, memory_mb)
            finally:
                self._busy.discard(child)
                self._take_back(child)

    async def _started(self) -> Child:
        child = await Child.start(self._environment or os.environ)
        table.CHILDREN_STARTED.add()
        return child

    def _fit(self, memory_mb: int) -> Child | None:
        """A free one that has not taken most of it already."""
        while self._free:
            child = self._free.pop()
            if child.is_alive and child.taken() <= memory_mb * MB // 2:
                return child
            self._leave([child], "recycled")
        return None

    def _take_back(self, child: Child) -> None:
        if not child.is_alive or child.leaves or child.attempts >= self._settings.child_jobs:
            self._leave([child], "recycled")
            return
        child.free_since = time.monotonic()
        self._free.append(child)
        if self._resting is None:
            self._rest(self._settings.child_idle_seconds)

    def _rest(self, seconds: float) -> None:
        self._resting = asyncio.get_running_loop().call_later(seconds, self._end_the_idle)

    def _end_the_idle(self) -> None:
        self._resting, now, most = None, time.monotonic(), self._settings.child_idle_seconds
        self._leave([child for child in self._free if now - child.free_since >= most], "idle")
        if self._free:
            self._rest(max(0.01, self._free[0].free_since + most - now))

    def _leave(self, some: list[Child], why: Why) -> None:
        for child in list(some):
            table.CHILDREN_ENDED.add(why if child.is_alive else child.end)
            if child in self._free:
                self._free.remove(child)
            task = asyncio.get_running_loop().create_task(child.leave())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
