"""Talk to RabbitMQ from asyncio: connect, declare, publish with confirm, consume in batches.

The only file that talks through aio-pika; translate.py knows its words, and transport.py opens its socket, because
deliveries are read before it.  The connection is kept by a task that connects again with back-off; whoever publishes
meanwhile waits for it as long as its own deadline allows and then gets `BrokerUnavailable`, never a hang.
A publish counts when the broker has confirmed it.  One Broker either publishes or consumes: during an alarm RabbitMQ
stops reading a connection that publishes, and acks on it would stand still too.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

import aio_pika
import aiormq
import structlog
from aiormq import spec

from wire.errors import BrokerUnavailable, NobodyThere, TopologyMismatch, WarrenError
from wire.lifecycle import ended, lasting, pause, stuck_peers_are_lost
from wire.message import Outgoing
from wire.metrics import table as metrics
from wire.rabbitmq.backoff import waits
from wire.rabbitmq.deliveries import Deliveries
from wire.rabbitmq.pipeline import Pipeline, at_once
from wire.rabbitmq.subscription import CLOSED, Batch, Subscription
from wire.rabbitmq.tolerance import tolerate_strangers
from wire.rabbitmq.translate import properties
from wire.rabbitmq.transport import Connection, connect
from wire.settings import Stores
from wire.topology import Binding, Exchange, Part, Queue

log = structlog.get_logger()
tolerate_strangers()

WINDOW: Final = 1_000  # unconfirmed publishes at once; a client's write buffer has no bound of its own
LOOK_SECONDS: Final = 5.0  # aio-pika says nothing when the broker cancels a subscription, so we look
TURN_SECONDS: Final = 1.0  # between two looks whether an alarm blocks us
HEARTBEAT_SECONDS: Final = 15  # a dead peer is noticed within two
OnConnect = Callable[["Broker"], Awaitable[object]]


class Broker:
    """One connection and one channel, kept alive."""

    def __init__(
        self,
        url: str,
        name: str,
        *,
        timeout_seconds: float,
        on_connect: OnConnect | None = None,
        heartbeat_seconds: int = HEARTBEAT_SECONDS,
    ) -> None:
        self._url, self._name, self._timeout, self._on_connect = url, name, timeout_seconds, on_connect
        self._heartbeat_seconds = heartbeat_seconds
        self._open = asyncio.Event()  # a channel stands: the topology can be declared
        self._ready = asyncio.Event()  # and the topology stands: messages can be published
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._channel: aiormq.Channel | None = None
        self._window = asyncio.Semaphore(WINDOW)
        self._pipeline: Callable[[list[bool]], Pipeline]  # over what stands while `_ready` is set
        self._deliveries, self._numbers = Deliveries(), itertools.count(1)
        self.version = ""
        self.connections = 0  # so far: a broker that has been away may have lost its disk
        self.last_error = "not connected yet"

    @classmethod
    def of(cls, stores: Stores, name: str, on_connect: OnConnect | None = None) -> Broker:
        url, seconds = stores.amqp_url.get_secret_value(), stores.broker_timeout_seconds
        return cls(url, name, timeout_seconds=seconds, on_connect=on_connect)

    @property
    def connected(self) -> bool:
        return self._ready.is_set()

    @property
    def blocked(self) -> bool:
        """Whether an alarm (memory, disk) keeps RabbitMQ from taking messages of this connection.

        RabbitMQ says so once something was published meanwhile; aiormq's connection is not `ready` then.
        """
        transport = self._connection.transport if self._connection else None
        return transport is not None and not at_once(transport.connection.ready())

    def look(self) -> None:
        """Tell whether it stands, for the metrics."""
        metrics.BROKER_CONNECTED.set(self.connected)
        metrics.BROKER_BLOCKED.set(self.blocked)

    async def start(self) -> None:
        """Begin to connect; returns at once, because a process must start while its broker is away."""
        self._keeper = lasting(self._keep(), f"broker {self._name}")

    async def stop(self) -> None:
        await ended(self._keeper, 0.0)
        await self._close()

    async def wait_connected(self, timeout_seconds: float | None = None) -> None:
        """Return once messages can be published, or BrokerUnavailable after the deadline."""
        await self._until(self._ready, timeout_seconds)

    async def ping(self) -> None:
        """Prove that the broker answers, or BrokerUnavailable."""
        await self._until(self._open)
        async with self._deadline():
            assert self._connection is not None
            channel = await self._connection.channel(publisher_confirms=False)
            await channel.close()

    async def declare(self, parts: Iterable[Part]) -> None:
        """Make these stand, in this order; TopologyMismatch where they stand otherwise already."""
        await self._until(self._open)
        async with self._deadline(self._timeout * 4):  # a hundred small calls
            await self._apply(parts, undo=False)

    async def unbind(self, parts: Iterable[Binding]) -> None:
        await self._until(self._open)
        async with self._deadline():
            await self._apply(parts, undo=True)

    async def publish(self, message: Outgoing, *, mandatory: bool = True) -> None:
        """Return when the broker has the message for good; BrokerUnavailable if it did not say so in time.

        A publish that timed out may still arrive: the same id and run make the second copy harmless.
        """
        async with self._deadline():
            await self._ready.wait()
            confirmation = await asyncio.shield(await self._sent(message, mandatory=mandatory))
        if isinstance(confirmation, aiormq.abc.DeliveredMessage):
            raise NobodyThere(f"RabbitMQ has no queue for {message.routing_key[:80]!r}")
        if not isinstance(confirmation, spec.Basic.Ack):
            raise BrokerUnavailable(f"RabbitMQ did not take the message: {type(confirmation).__name__}")

    async def _sent(self, message: Outgoing, *, mandatory: bool) -> asyncio.Task[object]:
        """The wait for its confirmation; its place in the window stays taken until then, or until the channel is gone.

        During an alarm whatever is written lies in our own memory, and to write more would fill it.
        """
        channel, window = self._channel, self._window
        await window.acquire()
        assert channel is not None
        confirmed: asyncio.Task[object] = asyncio.ensure_future(
            channel.basic_publish(
                message.body,
                exchange=message.exchange,
                routing_key=message.routing_key,
                properties=properties(message),
                mandatory=mandatory,
                wait=False,
            )
        )

        def settled(_: object) -> None:
            window.release()
            _ = confirmed.cancelled() or confirmed.exception()  # looked at: nobody may be waiting for it any more

        confirmed.add_done_callback(settled)
        return confirmed

    def prepare(self, message: Outgoing) -> Pipeline | None:
        """All but the write, which its `begin` does and `publish_all` waits for; None while RabbitMQ is away."""
        return self._pipeline([False]).prepare(message) if self._ready.is_set() else None

    async def publish_all(self, messages: Sequence[Outgoing], begun: Pipeline | None = None) -> list[bool]:
        """Publish in a pipeline; says of each whether it was confirmed.  What was not stays in the outbox."""
        confirmed = [False] * len(messages) if begun is None else begun.confirmed
        try:
            async with self._deadline():
                if begun is None:
                    await self._ready.wait()
                    await self._pipeline(confirmed).publish(messages)
                else:
                    await begun.over()
        except BrokerUnavailable as e:
            self.last_error = str(e)
        return list(confirmed)  # a copy: what is confirmed later is not said any more

    async def depth(self, queue: str) -> int | None:
        """How many messages of this queue wait for a consumer; None when there is no such queue.

        RabbitMQ 4.3 wants permission to configure for it.
        """
        return (await self.depths([queue])).get(queue)

    async def depths(self, queues: Iterable[str]) -> dict[str, int]:
        """The same of many at once, without those that there are not."""
        found, left = dict[str, int](), list(queues)
        while left:
            async with self._scratch() as channel:  # whose deadline would take the refusal for an outage
                with contextlib.suppress(aiormq.exceptions.ChannelNotFoundEntity):  # it costs the channel
                    while left:
                        name = left.pop()
                        found[name] = (await channel.queue_declare(name, passive=True)).message_count or 0
        return found

    async def mark(self, queue: str) -> bytes | None:
        """The first message of a queue that keeps marks.

        It is put back as a new one: a quorum queue counts what is returned to it, and drops it at last.
        """
        async with self._scratch() as channel:
            found = await channel.basic_get(queue)
            if not isinstance(found.delivery, spec.Basic.GetOk) or found.delivery_tag is None:
                return None
            await self._put(queue, found.body)  # before the ack: a crash between them leaves two alike
            await channel.basic_ack(found.delivery_tag, wait=True)
            return found.body

    async def set_mark(self, queue: str, body: bytes) -> None:
        """Have this be the only message of a queue that keeps marks."""
        async with self._scratch() as channel:
            await channel.queue_purge(queue)
        await self._put(queue, body)

    async def _put(self, queue: str, body: bytes) -> None:
        await self.publish(Outgoing("", queue, body, queue, "", 0, {}))

    async def batches(self, queue: str, prefetch: int) -> AsyncIterator[Batch]:
        """Batches of whatever has arrived, for ever; subscribes again after a lost connection."""
        while True:
            await self._ready.wait()
            with _losses():
                async for batch in self._subscription(queue, prefetch):
                    yield batch
            await asyncio.sleep(next(waits()))

    async def _subscription(self, queue: str, prefetch: int) -> AsyncIterator[Batch]:
        assert self._connection is not None
        # an older channel may not be closed yet: a name of its own, or that one's deliveries would be acked on this one
        lost, name = self._lost, f"{self._name} {queue} {next(self._numbers)}"
        subscription = Subscription(queue, name, self._deliveries)
        async with asyncio.timeout(self._timeout):
            channel = await self._connection.channel(publisher_confirms=False)
        gone = asyncio.ensure_future(lost.wait())
        try:
            async with asyncio.timeout(self._timeout):
                await subscription.start(await channel.get_underlay_channel(), prefetch)
            while not (channel.is_closed or lost.is_set()):
                if batch := await subscription.batch(gone, LOOK_SECONDS):
                    yield batch
                elif subscription.cancelled:
                    lost.set()  # by the broker (a deleted queue): connect and declare anew
        finally:
            gone.cancel()
            await self._close_channel(channel)
            subscription.stop()

    async def _keep(self) -> None:
        delays = waits()
        while True:
            if not await self._try_to_connect():
                await self._close()
                await asyncio.sleep(next(delays))
                continue
            delays = waits()
            log.info("broker_connected", connection=self._name, version=self.version)
            while not await pause(self._lost, TURN_SECONDS):
                metrics.BROKER_BLOCKED_SECONDS.add(by=TURN_SECONDS * self.blocked)
            log.warning("broker_lost", connection=self._name, error=self.last_error)
            await self._close()

    async def _try_to_connect(self) -> bool:
        try:
            with stuck_peers_are_lost():
                await self._connect()
        except Exception as e:  # whatever it is: to be cut off for ever would be worse than one more try
            if isinstance(e, TopologyMismatch) and not self.connections:
                raise  # it was started with the wrong settings: no try will be better, and the process ends
            self.last_error = f"{type(e).__name__}: {e}"
            foreseen = isinstance(e, (*CLOSED, WarrenError))
            log.warning("broker_away", connection=self._name, error=self.last_error, exc_info=not foreseen)
        return self._ready.is_set()

    async def _connect(self) -> None:
        self._lost = asyncio.Event()
        async with asyncio.timeout(self._timeout):
            deliveries = self._deliveries = Deliveries()
            connection = await connect(self._url, self._name, self._heartbeat_seconds, deliveries)
            self._connection = connection
            channel = await connection.channel(publisher_confirms=True)
            underlay = await channel.get_underlay_channel()
            assert isinstance(underlay, aiormq.Channel)
            self._channel, self._window = underlay, asyncio.Semaphore(WINDOW)
            self._pipeline = partial(Pipeline, underlay, connection.writer, self._window)
        connection.close_callbacks.add(self._closed)
        channel.close_callbacks.add(self._closed)
        transport = connection.transport
        assert transport is not None
        self.version = _version(transport.connection)
        self._open.set()
        if self._on_connect:
            await self._on_connect(self)
        self.connections += 1
        metrics.BROKER_CONNECTS.add()
        self._ready.set()  # a message that is published before its exchange stands closes the channel

    def _closed(self, _: object, error: BaseException | None) -> None:
        self.last_error = f"{type(error).__name__}: {error}"
        self._lost.set()

    async def _until(self, event: asyncio.Event, timeout_seconds: float | None = None) -> None:
        try:
            async with asyncio.timeout(self._timeout if timeout_seconds is None else timeout_seconds):
                await event.wait()
        except TimeoutError:
            raise BrokerUnavailable(f"RabbitMQ is away: {self.last_error}") from None

    async def _close(self) -> None:
        self._open.clear()
        self._ready.clear()
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and not connection.is_closed:
            with _losses():
                async with asyncio.timeout(self._timeout):
                    await connection.close()

    async def _close_channel(self, channel: aio_pika.abc.AbstractChannel) -> None:
        with _losses():
            async with asyncio.timeout(self._timeout):
                await channel.close()

    @contextlib.asynccontextmanager
    async def _scratch(self) -> AsyncIterator[aiormq.abc.AbstractChannel]:
        """A channel for one question, which a refusal may close."""
        await self._until(self._open)
        async with self._deadline():
            assert self._connection is not None
            scratch = await self._connection.channel(publisher_confirms=False)
            try:
                yield await scratch.get_underlay_channel()
            finally:
                await self._close_channel(scratch)

    async def _apply(self, parts: Iterable[Part], *, undo: bool) -> None:
        assert self._connection is not None
        scratch = await self._connection.channel(publisher_confirms=False)  # a refusal closes the channel
        try:
            channel = await scratch.get_underlay_channel()
            for part in parts:
                await (_unbind(channel, part) if undo and isinstance(part, Binding) else _declare(channel, part))
        except aiormq.exceptions.ChannelPreconditionFailed as e:
            raise TopologyMismatch(f"the broker has it otherwise than this version of Warren: {e}") from e
        finally:
            await self._close_channel(scratch)

    @contextlib.asynccontextmanager
    async def _deadline(self, seconds: float | None = None) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds or self._timeout):
                with stuck_peers_are_lost():
                    yield
        except TimeoutError:
            why = self.last_error if not self.connected else "no answer in time (an alarm blocks publishers)"
            raise BrokerUnavailable(f"RabbitMQ is away: {why}") from None
        except (aiormq.AMQPError, ConnectionError, OSError, RuntimeError) as e:
            raise BrokerUnavailable(f"RabbitMQ is away: {type(e).__name__}: {e}") from e


@contextlib.contextmanager
def _losses() -> Iterator[None]:
    """A lost connection ends what is done here, and is no error: it is made again."""
    with contextlib.suppress(*CLOSED), stuck_peers_are_lost():
        yield


async def _declare(channel: aiormq.abc.AbstractChannel, part: Part) -> None:
    match part:
        case Exchange(name, kind, arguments):
            await channel.exchange_declare(name, exchange_type=kind, durable=True, arguments=dict(arguments))
        case Queue(name, arguments):
            await channel.queue_declare(name, durable=True, arguments=dict(arguments))
        case Binding(source, target, key, "queue"):
            await channel.queue_bind(target, source, key)
        case Binding(source, target, key, _):
            await channel.exchange_bind(destination=target, source=source, routing_key=key)


async def _unbind(channel: aiormq.abc.AbstractChannel, part: Binding) -> None:
    if part.to == "queue":
        await channel.queue_unbind(part.target, part.source, part.key)
    else:
        await channel.exchange_unbind(destination=part.target, source=part.source, routing_key=part.key)


def _version(connection: aiormq.abc.AbstractConnection) -> str:
    version = getattr(connection, "server_properties", {}).get("version", "")
    return version.decode() if isinstance(version, bytes) else str(version)
