"""What is put back into its queue: returned where that keeps its place, else published anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
import pytest_asyncio

from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from actors.deliveries.surplus import put_back
from persistence.accepting.outbox import Publisher
from persistence.declared import pins
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.running import publish, ready
from wire import topology
from wire.message import job_message
from wire.rabbitmq.amqp import Broker
from wire.topology import Profile

TYPE, QUEUE = "left", "work.leftovers"
TRACE = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}


@dataclass
class Held:
    """Two messages of runs and one by the public door, delivered and not acked."""

    consumer: Consumer
    publisher: Publisher
    database: Database
    ours: set[str]
    stranger: str
    deliveries: list[Delivery] = field(default_factory=list)

    async def put_back(self) -> list[Delivery]:
        """What comes then."""
        surplus, self.deliveries = self.deliveries, []
        await put_back(surplus, self.consumer, publisher=self.publisher, database=self.database)
        await eventually(lambda: len(self.deliveries) == 3)
        return self.deliveries


@pytest_asyncio.fixture
async def held(places: Places, broker: Broker, database: Database) -> AsyncIterator[Held]:
    one: Held

    async def prepare() -> None:
        await broker.declare(topology.fixed(Profile.CLASSIC))
        await broker.declare([topology.serve("leftovers", Profile.CLASSIC), *topology.bind_type(TYPE, "leftovers")])

    def deliver(delivery: Delivery) -> None:
        one.deliveries.append(delivery)

    consumer = Consumer(places.amqp_url, "test", ["leftovers"], prefetch=10, prepare=prepare, deliver=deliver)
    ids, stranger = [uuid4(), uuid4()], str(uuid4())
    one = Held(consumer, Publisher(database, broker), database, set(map(str, ids)), stranger)
    await consumer.start()
    await eventually(lambda: consumer.consuming)
    for job_id in ids:
        await broker.publish(
            job_message(
                job_id=job_id, job_type=TYPE, priority=3, body=b'{"a": 1}', run=4, attempt=2, because="e", trace=TRACE
            )
        )
    await publish(places.amqp_url, "jobs.in", f"job.{TYPE}.p5", b"{}", type=TYPE, message_id=stranger)
    await eventually(lambda: len(one.deliveries) == 3)
    yield one
    consumer.ack(one.deliveries)
    await consumer.stop()

    await eventually(lambda: _empty(places))


async def test_on_classic_queues_all_is_returned(held: Held) -> None:
    await pins.pin(held.database, pins.PROFILE, Profile.CLASSIC)
    came = await held.put_back()

    assert {held.stranger, *held.ours} == {delivery.message.message_id for delivery in came if _returned(delivery)}


async def test_on_quorum_queues_a_run_is_published_anew_with_all_that_it_carries(held: Held) -> None:
    """
    And acked: nothing is left of it.  What came by the public door is returned.
    """
    await pins.pin(held.database, pins.PROFILE, Profile.QUORUM)
    before = {d.message.message_id: d.message for d in held.deliveries}
    came = await held.put_back()
    anew = {d.message.message_id: d.message for d in came if not _returned(d)}

    assert held.ours == anew.keys()
    for message_id, message in anew.items():
        assert before[message_id] == message
    assert [held.stranger] == [d.message.message_id for d in came if _returned(d)]


async def test_without_postgres_all_is_returned(held: Held, database: Database) -> None:
    """
    Its rank is less than its safety.
    """
    await pins.pin(held.database, pins.PROFILE, Profile.QUORUM)
    held.database = Database("postgresql://nobody@127.0.0.1:1/none", "test", connections=1, timeout_seconds=0.2)
    came = await held.put_back()
    await held.database.stop()

    assert 3 == len([delivery for delivery in came if _returned(delivery)])


@pytest.mark.parametrize("profile", Profile)
async def test_nothing_to_put_back_is_nothing_to_do(held: Held, profile: Profile) -> None:
    await pins.pin(held.database, pins.PROFILE, profile)
    await put_back([], held.consumer, publisher=held.publisher, database=held.database)

    assert 3 == len(held.deliveries)


def _returned(delivery: Delivery) -> bool:
    return delivery.message.redelivered


async def _empty(places: Places) -> bool:
    return 0 == await ready(places.amqp_url, QUEUE)
