"""Pass on the messages of many jobs that one commit has made, behind the answer.

Whoever has ten thousand jobs in Postgres has them safe: the answer need not wait until RabbitMQ has their messages too.
They go out as fast as the publisher has room.  What is not passed on (too much waits, or this process ends) is left to
the scheduler's sweep, as always: the rows stand.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from persistence.accepting.accept import GROUP
from persistence.accepting.outbox import Post, Publisher
from wire.lifecycle import lasting

MOST_WAITING: Final = 50_000  # messages; beyond this the sweep is the better place to wait: it holds no memory


class PassingOn:
    """One task that gives the publisher what it has room for."""

    def __init__(self, posts: Publisher) -> None:
        self._posts = posts
        self._waiting: deque[Post] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = lasting(self._work(), "passing on")

    async def stop(self) -> None:
        """End after the group in hand; a second stop is fine."""
        task, self._task = self._task, None
        if task:
            self._wake.set()
            await task

    def give(self, posts: Sequence[Post]) -> None:
        self._waiting.extend(posts[: max(0, MOST_WAITING - len(self._waiting))])
        self._wake.set()

    async def _work(self) -> None:
        while self._task:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting and self._task:
                await self._posts.room()
                self._posts.give([self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))])
                await asyncio.sleep(0)  # a publisher with room says so at once
