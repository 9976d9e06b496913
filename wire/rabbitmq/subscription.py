"""One queue's deliveries on one channel, in batches of whatever has arrived.

They come by deliveries.py and not by the library, which only asks for them and says when the broker takes the
subscription back.  A batch is acked on the channel that it came by, and on no other: a tag means another message there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage

from wire.message import Incoming
from wire.rabbitmq.deliveries import Deliveries

CLOSED = (
    aiormq.AMQPError, ConnectionError, OSError, asyncio.TimeoutError,
    aiormq.exceptions.ChannelInvalidStateError,  # a RuntimeError: what is said to a channel that has just been closed
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries of one queue, in order; acked together when all of them are safe."""

    messages: Sequence[Incoming]
    last_tag: int
    channel: AbstractChannel

    async def ack(self) -> None:
        """Settle all of them; those of a channel that is gone come again, and find that they are known."""
        with contextlib.suppress(*CLOSED):
            await self.channel.basic_ack(self.last_tag, multiple=True)


class Subscription:
    """Begun once, on a channel that serves nothing else."""

    def __init__(self, queue: str, name: str, deliveries: Deliveries) -> None:
        self._queue, self._name, self._deliveries = queue, name, deliveries
        self._channel: aiormq.Channel | None = None
        self._arrived: list[Incoming] = []
        self._last_tag = 0
        self._some = asyncio.Event()

    async def start(self, channel: AbstractChannel, prefetch: int) -> None:
        assert isinstance(channel, aiormq.Channel)
        self._channel = channel
        self._deliveries.subscribe(channel.number, self._name, self._queue, self._take)
        await channel.basic_qos(prefetch_count=prefetch)
        await channel.basic_consume(self._queue, _pass_over, consumer_tag=self._name)

    def stop(self) -> None:
        """To be called when the channel is closed."""
        if self._channel is not None:
            self._deliveries.unsubscribe(self._channel.number, self._name)

    @property
    def cancelled(self) -> bool:
        """The broker has taken it back; the library says nothing of it, so somebody looks."""
        return self._channel is not None and self._name not in self._channel.consumers

    async def batch(self, gone: asyncio.Future[Literal[True]], seconds: float) -> Batch | None:
        """All that has arrived, at the latest after so many seconds; None if that is nothing, or the connection is."""
        if not self._some.is_set():
            some = asyncio.ensure_future(self._some.wait())
            await asyncio.wait({some, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            some.cancel()
        if gone.done() or not self._arrived:
            return None
        assert self._channel is not None
        arrived, self._arrived = self._arrived, []
        self._some.clear()
        return Batch(arrived, self._last_tag, self._channel)

    def _take(self, message: Incoming, tag: int) -> None:
        self._arrived.append(message)
        self._last_tag = tag
        self._some.set()


async def _pass_over(_: DeliveredMessage) -> None:
    """Never called: these are taken out before the library sees them."""
