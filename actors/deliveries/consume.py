"""Consume from the work queues with pika on the lane's loop, and settle on the channel a delivery came from.

pika's AsyncioConnection takes two to three times as many messages a second as other clients.  A lost connection, a
closed channel and a subscription that the broker cancels all lead to the same place: connect again with back-off,
prepare the queues again, subscribe again.  So a worker that is alive but deaf cannot be.

`basic.qos` changes nothing for a live consumer (measured); a new window means a new subscription.  A queue that is
paused is held: it has none, and a connection that is made anew does not give it one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

import pika.data
import structlog
from pika.channel import Channel
from pika.exceptions import AMQPError, ChannelWrongStateError, ConnectionWrongStateError

from actors.deliveries.ackwindow import AckWindow
from actors.deliveries.connection import Connection
from actors.deliveries.delivery import Delivery
from wire.errors import TopologyMismatch, WarrenError
from wire.lifecycle import ended, lasting, stuck_peers_are_lost
from wire.message import Incoming
from wire.rabbitmq.amqp import HEARTBEAT_SECONDS
from wire.rabbitmq.backoff import waits
from wire.rabbitmq.deliveries import Deliveries
from wire.rabbitmq.headers import read_name, read_table
from wire.signature import client_properties
from wire.topology import CONTROL, work_queue

log = structlog.get_logger()

pika.data.decode_table, pika.data.decode_short_string = read_table, read_name  # what strangers send must not end us

STEP_SECONDS: Final = 10.0  # for one answer of the broker while a connection is set up
Done = Callable[[Any], None]
Fail = Callable[[BaseException], None]
CLOSED = (ChannelWrongStateError, ConnectionWrongStateError)


class Consumer:
    """One connection, one channel, one subscription a queue."""

    def __init__(
        self,
        url: str,
        name: str,
        queues: Sequence[str],
        *,
        prefetch: int,
        slots: int = 1,
        prepare: Callable[[], Awaitable[None]],
        deliver: Callable[[Delivery], None],
        hear: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.client_properties = client_properties(name)
        self._parameters.heartbeat = HEARTBEAT_SECONDS
        self._name, self._queues, self._prefetch, self._slots = name, queues, prefetch, slots
        self._prepare, self._deliver, self._hear = prepare, deliver, hear
        self._connection: Connection | None = None
        self._channel: Channel | None = None
        self._number = 0
        self._acks = AckWindow()
        self._deliveries = Deliveries()
        self._tags: list[str] = []
        self._held: frozenset[str] = frozenset()
        self._subscribing = asyncio.Lock()  # a change of the window must not cross a change of what is held
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False
        self.last_delivery: float | None = None
        self.changed: Callable[[], None] = lambda: None  # it consumes now, or no longer

    @property
    def consuming(self) -> bool:
        """Whether the broker has confirmed a subscription for every queue that is not held."""
        return self._channel is not None and len(self._tags) == len(self._served) and not self._lost.is_set()

    @property
    def _served(self) -> list[str]:
        return [queue for queue in self._queues if queue not in self._held]

    @property
    def prefetch(self) -> int:
        return self._prefetch

    async def start(self) -> None:
        self._keeper = lasting(self._keep(), "consumer")

    async def stop(self) -> None:
        """Close; what is not acked goes back to its queue."""
        self._stopping = True
        await ended(self._keeper, 0.0)
        await self._close()

    async def stop_consuming(self) -> None:
        """No new deliveries; those in hand can still be acked."""
        self._stopping = True
        with contextlib.suppress(*CLOSED, AMQPError, TimeoutError):
            async with self._subscribing:
                await self._unsubscribe()

    async def hold(self, queues: Iterable[str]) -> None:
        """Take nothing from these queues until told otherwise; after the return nothing of them arrives any more."""
        self._held = frozenset(queues)
        await self._subscribe_anew()

    async def resize(self, prefetch: int) -> None:
        """Subscribe anew with another window; deliveries in hand stay."""
        self._prefetch = prefetch
        await self._subscribe_anew()

    async def _subscribe_anew(self) -> None:
        async with self._subscribing:
            lost = self._lost
            if self._channel is None or lost.is_set() or self._stopping:
                return  # whoever connects subscribes
            try:
                await self._unsubscribe()
                if not self._stopping:  # told to stop meanwhile
                    await self._subscribe()
            except (*CLOSED, AMQPError, TimeoutError):
                lost.set()

    def ack(self, deliveries: Iterable[Delivery]) -> None:
        """Settle these; those of an older channel have been returned to their queue already."""
        if self._channel is None:
            return  # all channels are older
        top, alone = self._acks.settle(d.tag for d in deliveries if d.channel == self._number)
        with contextlib.suppress(*CLOSED):
            if top:
                self._channel.basic_ack(top, multiple=True)
            for tag in alone:
                self._channel.basic_ack(tag)

    def give_back(self, deliveries: Iterable[Delivery]) -> None:
        """Return these to their queues, for another process."""
        self._nack(deliveries, requeue=True)

    def reject(self, deliveries: Iterable[Delivery]) -> None:
        """Hand these to the recorder, by way of the dead queue: it knows all types and all rows."""
        self._nack(deliveries, requeue=False)

    def _nack(self, deliveries: Iterable[Delivery], *, requeue: bool) -> None:
        if self._channel is None:
            return
        tags = self._acks.give_back(d.tag for d in deliveries if d.channel == self._number)
        with contextlib.suppress(*CLOSED):
            for tag in tags:
                self._channel.basic_nack(tag, requeue=requeue)

    async def _keep(self) -> None:
        delays, has_consumed = waits(), False
        while not self._stopping:
            try:
                with stuck_peers_are_lost():
                    await self._connect()
            except Exception as e:  # whatever it is: to be deaf for ever would be worse than one more try
                if isinstance(e, TopologyMismatch) and not has_consumed:
                    raise  # it was started with the wrong settings: no try will be better, and the process ends
                foreseen = isinstance(e, (AMQPError, OSError, TimeoutError, WarrenError))
                log.warning("consumer_away", error=f"{type(e).__name__}: {e}", exc_info=not foreseen)
                await self._close()
                await asyncio.sleep(next(delays))
                continue
            delays, has_consumed = waits(), True
            log.info("consuming", queues=list(self._queues), prefetch=self._prefetch)
            self.changed()
            await self._lost.wait()
            log.warning("consumer_lost")
            self.changed()
            await self._close()

    async def _connect(self) -> None:
        lost = self._lost = asyncio.Event()  # of this connection: the end of an older one must not end it
        await self._prepare()
        await self._answer(self._open_connection)
        channel: Channel = await self._answer(self._open_channel)
        channel.add_on_close_callback(lambda *_: lost.set())
        channel.add_on_cancel_callback(lambda *_: lost.set())  # a deleted queue, a consumer_timeout on 4.3
        async with self._subscribing:
            self._channel, self._number, self._acks = channel, self._number + 1, AckWindow()
            if not self._stopping:
                await self._listen(channel)
                await self._subscribe()

    async def _listen(self, channel: Channel) -> None:
        """A queue of our own on the control exchange; it goes with the connection."""
        name = f"control {self._name} {self._number}"
        await self._answer(lambda done, _: channel.queue_declare(name, exclusive=True, callback=done))
        await self._answer(lambda done, _: channel.queue_bind(name, CONTROL, callback=done))
        await self._answer(lambda done, _: self._consume_hints(channel, name, done))

    def _consume_hints(self, channel: Channel, queue: str, done: Done) -> None:
        def hear(_: Channel, __: object, ___: object, body: bytes) -> None:
            self._hear(body)

        channel.basic_consume(queue, hear, auto_ack=True, callback=done)

    def _open_connection(self, done: Done, fail: Fail) -> None:
        lost = self._lost
        self._deliveries = Deliveries()
        self._connection = Connection(  # kept before it is open: what opens too late must still be closed
            self._deliveries,
            self._parameters,
            on_open_callback=done,
            on_open_error_callback=lambda _, error: fail(_as_exception(error)),
            on_close_callback=lambda *_: lost.set(),
            custom_ioloop=asyncio.get_running_loop(),
        )

    def _open_channel(self, done: Done, _: Fail) -> None:
        assert self._connection is not None
        self._connection.channel(on_open_callback=done)

    async def _subscribe(self) -> None:
        channel, number, acks = self._channel, self._number, self._acks
        assert channel is not None
        # a window is per subscription: they share it, but the one that has all the work must be able to fill the slots
        queues = self._served
        each = max(min(self._slots, self._prefetch), -(-self._prefetch // max(1, len(queues))), 1)
        await self._answer(lambda done, _: channel.basic_qos(prefetch_count=each, callback=done))
        for queue in queues:
            await self._answer(partial(self._consume, channel, number, acks, queue))

    def _consume(self, channel: Channel, number: int, acks: AckWindow, queue: str, done: Done, _: Fail) -> None:
        name, tag = work_queue(queue), f"{self._name} {queue} {number}.{time.monotonic_ns()}"

        def take(message: Incoming, delivered: int) -> None:
            self.last_delivery = now = time.monotonic()
            acks.delivered(delivered)
            self._deliver(Delivery(message, delivered, number, now))

        def confirmed(frame: object) -> None:
            self._tags.append(tag)
            done(frame)

        self._deliveries.subscribe(channel.channel_number, tag, name, take)
        channel.basic_consume(name, _pass_over, consumer_tag=tag, callback=confirmed)

    async def _unsubscribe(self) -> None:
        channel, tags = self._channel, self._tags
        self._tags = []
        for tag in tags:
            await self._answer(partial(self._cancel, channel, tag))

    def _cancel(self, channel: Channel | None, tag: str, done: Done, _: Fail) -> None:
        assert channel is not None
        self._deliveries.unsubscribe(channel.channel_number, tag)  # pika gives back what still comes
        channel.basic_cancel(tag, callback=done)

    async def _answer(self, ask: Callable[[Done, Fail], object]) -> Any:
        """Await what pika says by callback; a connection that is lost meanwhile is an error, never a hang."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(value: Any) -> None:
            if not answer.done():
                answer.set_result(value)

        def fail(error: BaseException) -> None:
            if not answer.done():
                answer.set_exception(error)

        ask(done, fail)
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({answer, lost}, timeout=STEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise TimeoutError("the broker closed the channel" if lost.done() else "the broker did not answer")
            return answer.result()
        finally:
            lost.cancel()
            answer.cancel()

    async def _close(self) -> None:
        connection, self._connection, self._channel, self._tags = self._connection, None, None, []
        self._number += 1  # nothing in hand can be settled any more
        if connection is None or connection.is_closed:
            return
        gone = asyncio.Event()
        connection.add_on_close_callback(lambda *_: gone.set())
        with contextlib.suppress(*CLOSED, TimeoutError):
            connection.close()
            async with asyncio.timeout(STEP_SECONDS):
                await gone.wait()


def _pass_over(*_: object) -> None:
    """Never called: these are taken out before pika sees them."""


def _as_exception(error: object) -> BaseException:
    return error if isinstance(error, BaseException) else OSError(str(error))
