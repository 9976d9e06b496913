"""Many messages in one go: each is told apart, whatever happens to the others or to the channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import aio_pika
import pytest_asyncio

from tests.conftest import Places
from tests.eventually import eventually
from wire.message import Outgoing
from wire.rabbitmq.amqp import WINDOW, Broker
from wire.rabbitmq.pipeline import Pipeline


@pytest_asyncio.fixture
async def queue(places: Places) -> AsyncIterator[aio_pika.abc.AbstractQueue]:
    async with await aio_pika.connect(places.amqp_url) as connection:
        yield await (await connection.channel()).declare_queue(uuid4().hex, auto_delete=False)


async def test_more_than_the_window_holds_arrive_in_order(broker: Broker, queue: aio_pika.abc.AbstractQueue) -> None:
    bodies = [str(number).encode() for number in range(WINDOW + 500)]
    confirmed = await broker.publish_all([to(queue.name, body) for body in bodies])
    arrived = [message.body for message in [await queue.get(no_ack=True) for _ in bodies]]

    assert [True] * len(bodies) == confirmed
    assert bodies == arrived


async def test_what_has_no_queue_is_told_apart(broker: Broker, queue: aio_pika.abc.AbstractQueue) -> None:
    """
    RabbitMQ gives it back, and confirms it all the same.
    """
    confirmed = await broker.publish_all([to(name) for name in (queue.name, "nobody's", queue.name)])

    assert [True, False, True] == confirmed


async def test_a_body_larger_than_a_frame_arrives_whole(broker: Broker, queue: aio_pika.abc.AbstractQueue) -> None:
    body = b"0123456789" * 100_000
    confirmed = await broker.publish_all([to(queue.name, body), to(queue.name)])
    first = await queue.get(no_ack=True)

    assert [True, True] == confirmed
    assert body == first.body


async def test_a_channel_that_is_closed_under_way_confirms_nothing_and_comes_back(
    broker: Broker, queue: aio_pika.abc.AbstractQueue
) -> None:
    confirmed = await broker.publish_all([to(queue.name), to("x", exchange="nowhere"), *[to(queue.name)] * 10])

    assert confirmed[1:] == [False] * 11
    assert "NOT_FOUND" in broker.last_error
    assert await eventually(lambda: _taken(broker, queue.name))


async def test_single_and_many_go_over_one_channel(broker: Broker, queue: aio_pika.abc.AbstractQueue) -> None:
    """
    They share the broker's count of what it was sent, and none is taken for another.
    """
    many = [broker.publish_all([to(queue.name) for _ in range(300)]) for _ in range(5)]
    single = [broker.publish(to(queue.name)) for _ in range(300)]
    confirmed, _ = await asyncio.gather(asyncio.gather(*many), asyncio.gather(*single))

    assert [[True] * 300] * 5 == confirmed
    assert await eventually(lambda: _holds(broker, queue.name, 1_800))


async def test_one_that_is_written_at_once_is_taken_for_no_other(
    broker: Broker, queue: aio_pika.abc.AbstractQueue
) -> None:
    """
    It goes where nothing waits before it; what was written before it, and what comes after, keep their places.
    """
    begun, confirmed = [], []
    for number in range(100):
        one, body = to(queue.name, f"{number} one".encode()), f"{number} many".encode()
        begun.append(_begun(broker, one))
        confirmed.append(asyncio.create_task(broker.publish_all([one], begun[-1])))
        confirmed.append(asyncio.create_task(broker.publish_all([to(queue.name, body)] * 2)))
        await asyncio.sleep(0)

    assert [[True], [True, True]] * 100 == await asyncio.gather(*confirmed)
    assert any(begun)
    arrived = [(await queue.get(no_ack=True)).body for _ in range(300)]
    assert [b"%d %s" % (n, kind) for n in range(100) for kind in (b"one", b"many", b"many")] == arrived


async def test_what_was_begun_on_a_channel_that_is_closed_is_not_confirmed(
    broker: Broker, queue: aio_pika.abc.AbstractQueue
) -> None:
    lost, one = to("x", exchange="nowhere"), to(queue.name)
    begun = _begun(broker, lost), _begun(broker, one)

    assert all(begun)
    assert [[False], [False]] == [await broker.publish_all([m], b) for m, b in zip((lost, one), begun, strict=True)]
    assert await eventually(lambda: _taken(broker, queue.name))


async def test_what_was_prepared_and_dropped_is_no_gap_among_what_follows(
    broker: Broker, queue: aio_pika.abc.AbstractQueue
) -> None:
    dropped, kept = broker.prepare(to(queue.name, b"dropped")), broker.prepare(to(queue.name, b"kept"))
    assert dropped is not None
    assert kept is not None
    dropped.drop()

    assert kept.begin()
    assert [True] == await broker.publish_all([to(queue.name)], kept)
    assert [True] == await broker.publish_all([to(queue.name, b"last")])
    assert [b"kept", b"last"] == [(await queue.get(no_ack=True)).body for _ in range(2)]


async def test_what_was_prepared_for_a_channel_that_is_closed_is_not_begun(
    broker: Broker, queue: aio_pika.abc.AbstractQueue
) -> None:
    prepared = broker.prepare(to(queue.name))
    await broker.publish_all([to("x", exchange="nowhere")])  # closes the channel
    assert await eventually(lambda: _taken(broker, queue.name))

    assert prepared is not None
    assert not prepared.begin()


async def test_nothing_is_begun_while_the_broker_is_away() -> None:
    assert Broker("amqp://127.0.0.1:1/", "test", timeout_seconds=1).prepare(to("x")) is None


def _begun(broker: Broker, message: Outgoing) -> Pipeline | None:
    prepared = broker.prepare(message)
    return prepared if prepared is not None and prepared.begin() else None


async def _taken(broker: Broker, name: str) -> bool:
    return await broker.publish_all([to(name)]) == [True]


async def _holds(broker: Broker, name: str, messages: int) -> bool:
    return await broker.depth(name) == messages


def to(queue: str, body: bytes = b"{}", exchange: str = "") -> Outgoing:
    return Outgoing(exchange, queue, body, str(uuid4()), "echo", 5, {"run": 1})
