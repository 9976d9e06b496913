"""A RabbitMQ that says nothing any more: every call has a deadline, and all is well again when it is back.

The client library cancels whoever waits for a peer that is stuck.  A task of ours that took that for its own end would
be gone without a word, and its process up and deaf.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.black_hole import Line
from tests.conftest import Places
from tests.eventually import eventually
from wire import topology
from wire.errors import BrokerUnavailable
from wire.message import Outgoing
from wire.rabbitmq.amqp import WINDOW, Broker
from wire.topology import BIRTHS, EPOCH, Profile, Queue

DEADLINE = 0.4
MOST = 30.0  # four deadlines at most (a declaration is a hundred small calls), on a machine that may be loaded


@pytest_asyncio.fixture
async def line(places: Places) -> AsyncIterator[Line]:
    async with Line(places.amqp_url).listening() as line:
        yield line


@pytest_asyncio.fixture
async def link(broker: Broker, line: Line) -> AsyncIterator[Broker]:
    """A connection that notices a stuck peer after four seconds instead of forty-eight."""
    await broker.declare(topology.fixed(Profile.CLASSIC))
    link = Broker(line.url, "test", timeout_seconds=DEADLINE, heartbeat_seconds=1)
    await link.start()
    await link.wait_connected(60)
    yield link
    line.sound_again()
    await link.stop()


def message() -> Outgoing:
    return Outgoing("", BIRTHS, b"{}", str(uuid4()), "echo", 5, {})


CALLS: dict[str, Callable[[Broker], Awaitable[object]]] = {
    "publish": lambda link: link.publish(message()),
    "depth": lambda link: link.depth(BIRTHS),
    "ping": lambda link: link.ping(),
    "mark": lambda link: link.mark(EPOCH),
    "set_mark": lambda link: link.set_mark(EPOCH, b"x"),
    "declare": lambda link: link.declare(topology.fixed(Profile.CLASSIC)),
    "unbind": lambda link: link.unbind(topology.unbind_type("echo", "default")),
}


async def test_every_call_has_a_deadline(link: Broker, line: Line) -> None:
    line.fall_silent()
    took = await asyncio.gather(*[seconds(call, link) for call in CALLS.values()])

    assert {} == {name: each for name, each in zip(CALLS, took, strict=True) if each > MOST}


async def test_whoever_consumes_outlives_a_peer_that_is_stuck(link: Broker, line: Line) -> None:
    """
    One that has subscribed and one that is about to: both hear what comes after.
    """
    seen: list[set[str]] = [set(), set()]
    consumers = [asyncio.create_task(consume(link, seen[0]))]
    await eventually(lambda: subscribed(link))
    line.fall_silent()
    consumers.append(asyncio.create_task(consume(link, seen[1])))
    await eventually(lambda: not link.connected)
    line.sound_again()
    await eventually(lambda: link.connected)
    later = {str(uuid4()) for _ in range(20)}

    async def both_hear() -> bool:
        await link.publish_all([Outgoing("", BIRTHS, b"{}", one, "echo", 5, {}) for one in later])
        return all(ids & later for ids in seen)

    await eventually(both_hear)
    assert [False, False] == [consumer.done() for consumer in consumers]
    for consumer in consumers:
        consumer.cancel()
    await asyncio.wait(consumers)


async def seconds(call: Callable[[Broker], Awaitable[object]], link: Broker) -> float:
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable):
        await call(link)
    return time.monotonic() - began


async def consume(link: Broker, seen: set[str]) -> None:
    async for batch in link.batches(BIRTHS, 10):
        seen |= {message.message_id or "" for message in batch.messages}
        await batch.ack()


async def subscribed(link: Broker) -> bool:
    """Its queue is empty again: somebody takes what comes."""
    await link.publish(message())
    return 0 == await link.depth(BIRTHS)


async def test_what_is_not_confirmed_does_not_fill_our_memory(broker: Broker, line: Line) -> None:
    """
    An alarm silences the broker for whoever publishes, and what we write lies in a buffer that has no bound.  So of
    many times the window, one window full has been written when it hears us again.
    """
    queue = f"silence {uuid4()}"
    await broker.declare([Queue(queue)])
    link = Broker(line.url, "test", timeout_seconds=DEADLINE)
    await link.start()
    await link.wait_connected(60)
    await link.publish(marker := Outgoing("", queue, b"{}", str(uuid4()), "echo", 5, {}))
    line.fall_silent()
    confirmed = [await link.publish_all([marker] * (WINDOW // 2)) for _ in range(4)]
    line.sound_again()
    await eventually(lambda: confirms(link, marker))

    assert {False} == {each for some in confirmed for each in some}
    assert WINDOW <= (await broker.depth(queue) or 0) < WINDOW + 100
    await link.stop()


async def confirms(link: Broker, message: Outgoing) -> bool:
    return all(await link.publish_all([message]))
