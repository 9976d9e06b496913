"""How much of its queues this process holds: enough to stay busy, and never closed to what is more important.

Every second the neglected are looked up, a few times a second the prefetch is reconsidered, and every moment what has
waited is exchanged (importance.py).  Starts nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

import structlog

from actors.attempts.attempt import Attempt
from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from actors.lane import prefetch
from actors.lane.importance import MOMENT_SECONDS, Importance
from actors.lane.rest import Rest
from actors.lane.slots import Slots
from actors.lane.waiting import Waiting
from persistence.store.database import COLLIDED
from wire.errors import DatabaseUnavailable

log = structlog.get_logger()

MOMENTS: Final = 5  # from one look at the speed to the next: a backlog of seconds should not be over before it
LOOKS: Final = 4


class Window:
    """Between the consumer and what waits here; one a lane."""

    def __init__(
        self,
        consumer: Consumer,
        waiting: Waiting,
        importance: Importance,
        *,
        slots: Slots,
        running: Mapping[UUID, Attempt],
        fixed: bool,
        put_back: Callable[[list[Delivery]], Awaitable[None]],
        settled: Callable[[], int],
    ) -> None:
        self._consumer, self._waiting, self._importance, self._slots = consumer, waiting, importance, slots
        self._running, self._fixed, self._put_back = running, fixed, put_back
        self._settled, self._seen, self._starts_seen = settled, (time.monotonic(), 0), 0  # all that were settled
        self._speeds: deque[float] = deque(maxlen=LOOKS)
        self._closed = False

    def close(self) -> None:
        """The lane drains: let nothing in any more."""
        self._closed = True

    async def stay_open(self, rest: Rest) -> None:
        """For a job that is more important than all that waits here, and as wide as the speed wants it; for ever."""
        for moment in itertools.count(1):
            # without a speed it is as narrow as it will be
            if (self._fixed or not any(self._speeds)) and await rest.sit_out():
                self._seen = (time.monotonic(), self._settled())  # the rest is no part of the speed
            await asyncio.sleep(MOMENT_SECONDS)
            with contextlib.suppress(DatabaseUnavailable, *COLLIDED):  # the next moment will do
                await self._importance.exchange(*self._waiting.all)
            if moment % MOMENTS == 0 and not (self._fixed or self._closed):
                await self._resize(self._speed())

    async def look_for_neglected(self) -> None:
        """For those who do not come through it."""
        settled = self._settled()
        starts, self._starts_seen = settled - self._starts_seen, settled
        await self._note_neglected(starts)

    def _speed(self) -> float:
        """Jobs a second, the best of the last looks: a pause of a moment should not cost two subscriptions."""
        (then, count), self._seen = self._seen, (time.monotonic(), self._settled())
        now, settled = self._seen
        self._speeds.append((settled - count) / (now - then))
        return max(self._speeds)

    async def _resize(self, per_second: float) -> None:
        wanted = prefetch.wanted(self._slots.concurrency, per_second, self._waiting.average_bytes)
        if prefetch.worth_changing(self._consumer.prefetch, wanted):
            await self._consumer.resize(wanted)
            await self._put_back(self._waiting.shed(wanted))

    async def _note_neglected(self, starts: int) -> None:
        """Those that never come while all slots are taken by what is more important."""
        came = self._waiting.lowest_lately()
        if not came and not self._slots.free_threads:
            came = [attempt.context.priority for attempt in self._running.values()]
        found: list[Delivery] = []
        if min(came, default=0) > 1 and not self._closed:
            try:
                found = await self._importance.find_neglected(min(came), starts)
            except (DatabaseUnavailable, *COLLIDED) as e:
                log.warning("neglected_not_seen", error=str(e))  # those known so far will do
                return
        self._waiting.neglect(found)
