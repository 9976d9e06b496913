"""The consumer: it comes back by itself, whatever ended its subscription, and settles nothing on a foreign channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pika
import pytest
import pytest_asyncio

from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from tests.black_hole import Line
from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.rabbit import Rabbit
from tests.room.actors.running import publish, ready
from wire.rabbitmq.amqp import Broker
from wire.topology import CONTROL, Exchange, Queue

QUEUE, IDLE, SILENT = "work.consumed", "work.idle", "work.silent"
KIND = {"x-queue-type": "classic", "x-max-priority": 10}


@dataclass
class Consumed:
    consumer: Consumer
    places: Places
    deliveries: list[Delivery] = field(default_factory=list)
    lives: int = 0  # how often it has connected

    def again_since(self, lives: int) -> bool:
        """Whether it has lost its subscription since then and has another."""
        return self.lives > lives and self.consumer.consuming

    @property
    def bodies(self) -> list[bytes]:
        return [delivery.message.body for delivery in self.deliveries]

    async def publish(self, *bodies: bytes) -> None:
        for body in bodies:
            await publish(self.places.amqp_url, "", QUEUE, body)

    async def holds(self, messages: int) -> bool:
        return messages == await ready(self.places.amqp_url, QUEUE)


@pytest_asyncio.fixture
async def consumed(places: Places, broker: Broker) -> AsyncIterator[Consumed]:
    """A consumer with a window of three, which keeps what it is given."""
    async with _consuming(places, broker, ["consumed"], prefetch=3) as one:
        yield one


@asynccontextmanager
async def _consuming(
    places: Places, broker: Broker, queues: list[str], *, prefetch: int, slots: int = 1
) -> AsyncIterator[Consumed]:
    one: Consumed

    async def prepare() -> None:
        one.lives += 1
        await broker.declare([Exchange(CONTROL, "fanout"), Queue(QUEUE, KIND), Queue(IDLE, KIND)])

    def deliver(delivery: Delivery) -> None:
        one.deliveries.append(delivery)

    consumer = Consumer(
        places.amqp_url, "test", queues, prefetch=prefetch, slots=slots, prepare=prepare, deliver=deliver
    )
    one = Consumed(consumer, places)
    await consumer.start()
    await eventually(lambda: consumer.consuming)
    yield one
    await consumer.stop()
    rabbit = Rabbit(places.amqp_url, places.management_url, places.vhost)
    for queue in (QUEUE, IDLE):
        await rabbit.delete_queue(queue)


async def test_it_takes_what_fits_its_window(consumed: Consumed) -> None:
    await consumed.publish(b"1", b"2", b"3", b"4")
    await eventually(lambda: len(consumed.deliveries) == 3)

    await eventually(lambda: consumed.holds(1))


async def test_a_queue_that_has_all_the_work_can_fill_all_slots(places: Places, broker: Broker) -> None:
    """
    The window is shared out among the queues, but an idle one must not keep slots empty.
    """
    async with _consuming(places, broker, ["consumed", "idle"], prefetch=6, slots=4) as consumed:
        await consumed.publish(b"1", b"2", b"3", b"4", b"5")
        await eventually(lambda: len(consumed.deliveries) == 4)

        await eventually(lambda: consumed.holds(1))


async def test_who_watches_is_told_when_it_is_deaf_and_when_it_consumes_again(consumed: Consumed) -> None:
    """
    The heartbeat is: whoever waits for a worker does not wait for the next beat as well.
    """
    told: list[bool] = []
    consumed.consumer.changed = lambda: told.append(consumed.consumer.consuming)
    await _cut(consumed)
    await eventually(lambda: len(told) == 2)

    assert [False, True] == told


async def test_a_delivery_of_an_older_channel_is_not_settled_on_the_new_one(consumed: Consumed) -> None:
    """
    Its tag names another message there: to ack it would lose that one.
    """
    await consumed.publish(b"1", b"2")
    await eventually(lambda: len(consumed.deliveries) == 2)
    old = list(consumed.deliveries)
    await _cut(consumed)
    await eventually(lambda: len(consumed.deliveries) == 4)
    consumed.consumer.ack(old)
    consumed.consumer.give_back(old)
    consumed.consumer.reject(old)
    await consumed.publish(b"marker")
    await eventually(lambda: b"marker" in consumed.bodies)
    await consumed.consumer.stop()

    await eventually(lambda: consumed.holds(3))


async def test_settling_while_the_broker_is_away_is_no_error(consumed: Consumed) -> None:
    await consumed.publish(b"1")
    await eventually(lambda: consumed.deliveries)
    await consumed.consumer.stop()
    consumed.consumer.ack(consumed.deliveries)
    consumed.consumer.give_back(consumed.deliveries)

    await eventually(lambda: consumed.holds(1))


async def test_a_subscription_that_the_broker_cancels_comes_back(consumed: Consumed) -> None:
    """
    A deleted queue ends it without closing anything; a worker that is alive but deaf must not be.
    """
    rabbit = Rabbit(consumed.places.amqp_url, consumed.places.management_url, consumed.places.vhost)
    lives = consumed.lives
    await rabbit.delete_queue(QUEUE)
    await eventually(lambda: consumed.again_since(lives))
    await consumed.publish(b"again")

    await eventually(lambda: b"again" in consumed.bodies)


async def test_a_held_queue_has_no_subscription_until_it_is_let_go(consumed: Consumed) -> None:
    await consumed.consumer.hold(["consumed", "another"])
    await consumed.publish(b"held")
    await eventually(lambda: consumed.holds(1))
    held, consuming = list(consumed.bodies), consumed.consumer.consuming
    await consumed.consumer.hold([])
    await eventually(lambda: consumed.bodies)

    assert ([], True, True) == (held, consuming, consumed.consumer.consuming)


async def test_changes_that_cross_leave_one_subscription(consumed: Consumed) -> None:
    """
    The window follows the speed of the jobs while somebody pauses and resumes.
    """
    windows, holds = (5, 9, 7, 3), ([], ["consumed"], [], ["another"])
    one = consumed.consumer
    await asyncio.gather(
        *[change for w, h in zip(windows, holds, strict=True) for change in (one.resize(w), one.hold(h))]
    )

    assert one.consuming
    assert 1 == await asyncio.to_thread(_subscriptions, consumed.places)


def _subscriptions(places: Places) -> int:
    with pika.BlockingConnection(pika.URLParameters(places.amqp_url)) as connection:
        return int(connection.channel().queue_declare(QUEUE, passive=True).method.consumer_count)


async def test_a_new_window_is_a_new_subscription_and_what_is_in_hand_stays(consumed: Consumed) -> None:
    await consumed.publish(b"1", b"2", b"3", b"4", b"5", b"6", b"7")
    await eventually(lambda: len(consumed.deliveries) == 3)
    await consumed.consumer.resize(6)
    await eventually(lambda: len(consumed.deliveries) == 7)
    consumed.consumer.ack(consumed.deliveries)
    await consumed.consumer.stop()

    await eventually(lambda: consumed.holds(0))
    assert sorted(consumed.bodies) == [b"1", b"2", b"3", b"4", b"5", b"6", b"7"]


async def test_resizing_under_load_loses_nothing_and_acks_all(consumed: Consumed) -> None:
    """
    pika returns what arrives between a cancel and its confirmation; the acks go on over such gaps.
    """
    bodies = [str(number).encode() for number in range(300)]
    rabbit = Rabbit(consumed.places.amqp_url, consumed.places.management_url, consumed.places.vhost)
    await rabbit.publish_all(QUEUE, bodies)
    seen = 0
    while seen < 300:
        await eventually(lambda: len(set(consumed.bodies)) > seen or len(set(consumed.bodies)) == 300)  # noqa: B023
        fresh, seen = consumed.deliveries, len(set(consumed.bodies))
        consumed.consumer.ack(fresh)
        await consumed.consumer.resize(50 if consumed.consumer.prefetch == 10 else 10)
    consumed.consumer.ack(consumed.deliveries)
    await consumed.consumer.stop()

    assert set(bodies) == set(consumed.bodies)
    await eventually(lambda: consumed.holds(0))


async def test_what_is_given_back_comes_again(consumed: Consumed) -> None:
    await consumed.publish(b"1")
    await eventually(lambda: consumed.deliveries)
    consumed.consumer.give_back(consumed.deliveries)

    await eventually(lambda: consumed.bodies == [b"1", b"1"])


@pytest.mark.long
async def test_a_line_that_falls_silent_is_noticed_and_another_is_opened(places: Places, broker: Broker) -> None:
    """
    Nothing is closed and nothing comes: a network that was cut, a host without power.  Two heartbeats tell.
    """
    heard: list[bytes] = []

    async def prepare() -> None:
        await broker.declare([Exchange(CONTROL, "fanout"), Queue(SILENT, {"x-queue-type": "classic"})])

    async with Line(places.amqp_url).listening() as line:
        consumer = Consumer(
            line.url, "silent", ["silent"], prefetch=3, prepare=prepare,
            deliver=lambda delivery: heard.append(delivery.message.body),
        )  # fmt: skip
        await consumer.start()
        await eventually(lambda: consumer.consuming)
        line.fall_silent()
        await eventually(lambda: not consumer.consuming, within=90)
        line.sound_again()
        await publish(places.amqp_url, "", SILENT, b"after")
        await eventually(lambda: b"after" in heard, within=30)
        await consumer.stop()


async def _cut(consumed: Consumed) -> None:
    rabbit = Rabbit(consumed.places.amqp_url, consumed.places.management_url, consumed.places.vhost)
    lives = consumed.lives

    async def lost() -> bool:
        await rabbit.cut_connections()
        return consumed.lives > lives

    await eventually(lost)  # the broker's list may show the publisher's connection first
    await eventually(lambda: consumed.again_since(lives))
