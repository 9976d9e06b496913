"""Leave paused queues alone: no subscription, and what waits here of them goes back to its place.

First the subscription ends, then the buffers are emptied: the other way round the broker would hand the same messages
to us again.  What runs is finished.  The order comes with a heartbeat's answer, as often as there is one, and is
carried out when it says something new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

import structlog

from actors.deliveries.buffer import Buffer
from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from wire.topology import work_queue

log = structlog.get_logger()


class Hold:
    """Between the orders, the consumer and the buffers of one lane."""

    def __init__(
        self,
        consumer: Consumer,
        queues: Collection[str],
        buffers: Sequence[Buffer],
        put_back: Callable[[list[Delivery]], Awaitable[None]],
    ) -> None:
        self._consumer, self._queues, self._buffers, self._put_back = consumer, frozenset(queues), buffers, put_back
        self._wanted: frozenset[str] = frozenset()
        self._names: frozenset[str] = frozenset()  # of the work queues in RabbitMQ
        self._ordered = asyncio.Event()
        self.changed: Callable[[], None] = lambda: None
        self.now: tuple[str, ...] = ()  # what is held in effect, and not only ordered to be

    async def begin(self, paused: Collection[str]) -> None:
        """Before there is a subscription: nothing paused gets one."""
        self.heed(paused)  # at a connection that is made anew there may be something in the buffers
        await self._consumer.hold(self._wanted)
        self.now = tuple(sorted(self._wanted))

    def heed(self, paused: Collection[str]) -> None:
        """These queues are paused, of ours and of others, and no more than these."""
        if self._want(paused):
            self._ordered.set()

    def refuses(self, delivery: Delivery) -> bool:
        """Whether it came from a queue that is held."""
        return delivery.message.queue in self._names

    async def work(self) -> None:
        """Carry out what is ordered, for ever."""
        while True:
            await self._ordered.wait()
            self._ordered.clear()
            held = self._wanted
            await self._consumer.hold(held)
            left = [delivery for buffer in self._buffers for delivery in buffer.leave(self._names)]
            for buffer in self._buffers:
                buffer.neglect([])  # some may be of these; who is still neglected is looked up in a moment
            await self._put_back(left)
            self.now = tuple(sorted(held))
            log.info("queues_held", queues=self.now, given_back=len(left))
            self.changed()

    def _want(self, paused: Collection[str]) -> bool:
        wanted, before = self._queues & frozenset(paused), self._wanted
        self._wanted, self._names = wanted, frozenset(map(work_queue, wanted))
        return wanted != before
