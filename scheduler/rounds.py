"""Do something again and again: what all loops of this process have in common.

An outage makes a round fail and the next one come in its time.  A surprise is logged with its traceback and costs one
round, never the loop: a scheduler that has silently stopped half of its work is worse than one that complains.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

import structlog

from persistence.database import COLLIDED
from wire.errors import Unavailable
from wire.lifecycle import lasting, pause

log = structlog.get_logger()


class Rounds(ABC):
    """One loop; `once` is the tick, for tests and for the loop."""

    def __init__(self, name: str, every_seconds: float, *, full: int | None = None) -> None:
        self._name, self._every, self._full = name, every_seconds, full
        self._stopped, self._news = asyncio.Event(), asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    @abstractmethod
    async def once(self) -> int:
        """One round; says how much it did, and a `full` one is followed by the next at once."""

    async def start(self) -> None:
        self._loop = lasting(self._work(), self._name)

    def wake(self) -> None:
        """There may be something to do: the next round comes at once, after the one that is under way."""
        self._news.set()

    async def stop(self) -> None:
        self._stopped.set()
        self._news.set()
        if self._loop:
            await self._loop

    async def _work(self) -> None:
        while not self._stopped.is_set():
            self._news.clear()  # before the round: what it may have missed is worth another one
            done = await self._guarded()
            if self._full is None or done < self._full:
                await pause(self._news, self._every)

    async def _guarded(self) -> int:
        try:
            return await self.once()
        except (Unavailable, *COLLIDED) as e:
            log.warning("round_waits", loop=self._name, error=str(e))
        except Exception:  # not foreseen: its rows stay as they are, and the next round finds them again
            log.exception("round_failed", loop=self._name)
        return 0
