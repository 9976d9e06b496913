"""Do something again and again: what all loops of this process have in common.

An outage makes a round fail and the next one come in its time.  A surprise is logged with its traceback and costs one
round, never the loop: a scheduler that has silently stopped half of its work is worse than one that complains.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from typing import Final

import structlog

from persistence.store.database import COLLIDED
from wire.alive import PATIENCE_SECONDS
from wire.errors import Unavailable
from wire.lifecycle import ended, lasting, pause
from wire.metrics import table as metrics

log = structlog.get_logger()

GRACE_SECONDS: Final = 1.0  # a round is done by then; one that waits for a store that is away is cut off


class Rounds(ABC):
    """One loop; `once` is the tick, for tests and for the loop."""

    def __init__(self, name: str, every_seconds: float, *, full: int | None = None) -> None:
        self._name, self._every, self._full = name, every_seconds, full
        self._stopped, self._news = asyncio.Event(), asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._began: float | None = None  # the round that is under way

    @abstractmethod
    async def once(self) -> int:
        """One round; says how much it did, and a `full` one is followed by the next at once."""

    async def start(self) -> None:
        self._loop = lasting(self._work(), self._name)

    def wake(self) -> None:
        """There may be something to do: the next round comes at once, after the one that is under way."""
        self._news.set()

    def trouble(self) -> str | None:
        """What a health check is told: a round fails in its time with a store away, but it ends."""
        lasts = 0.0 if self._began is None else time.monotonic() - self._began
        return f"has been in one round of {self._name} for {lasts:.0f} s" if lasts > PATIENCE_SECONDS else None

    async def stop(self) -> None:
        self._stopped.set()
        self._news.set()
        await ended(self._loop, GRACE_SECONDS)

    async def _work(self) -> None:
        while not self._stopped.is_set():
            self._news.clear()  # before the round: what it may have missed is worth another one
            self._began = time.monotonic()
            done = await self._guarded()
            metrics.ROUNDS.observe(time.monotonic() - self._began, self._name)
            self._began = None
            if self._full is None or done < self._full:
                await pause(self._news, self._every)

    async def _guarded(self) -> int:
        try:
            return await self.once()
        except (Unavailable, *COLLIDED) as e:
            metrics.ROUNDS_FAILED.add(self._name)
            log.warning("round_waits", loop=self._name, error=str(e))
        except Exception:  # not foreseen: its rows stay as they are, and the next round finds them again
            metrics.ROUNDS_FAILED.add(self._name)
            log.exception("round_failed", loop=self._name)
        return 0
