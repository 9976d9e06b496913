"""The scheduler's part in batches: callbacks are published, and an order is carried on with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from persistence.batches import batch_orders, batches
from persistence.batches.batch_orders import Do
from persistence.batches.batches import NewBatch
from persistence.declared.declare import declare, open_ways
from persistence.declared.job_types import register
from persistence.store.database import Database
from scheduler.batches import BatchCounter, BatchOrders
from tests.conftest import Places
from tests.journey.rabbit import Rabbit
from tests.room.persistence.rows import ECHO, born, field, submission
from wire.identity import fresh_id
from wire.rabbitmq.amqp import Broker
from wire.topology import Profile
from wire.tracing import Trace

CALLBACK = '{"type":"echo","payload":{}}'


@pytest_asyncio.fixture
async def link(database: Database, broker: Broker) -> AsyncIterator[Broker]:
    """A broker on which `echo` has its queue."""
    await declare(broker, database, "classic")
    await register(database, [ECHO])
    await open_ways(broker, Profile.CLASSIC, [ECHO])
    yield broker


def empty() -> NewBatch:
    return NewBatch(fresh_id(), b"hash", None, (), CALLBACK, CALLBACK, False, Trace.begin())


async def test_the_callback_of_an_end_is_published_at_once(database: Database, link: Broker, places: Places) -> None:
    rabbit = Rabbit(places.amqp_url, places.management_url, places.vhost)
    before = await rabbit.ready("work.default")
    await batches.create(database, empty(), [])
    counter = BatchCounter(database, link)
    changed = [await counter.once(), await counter.once()]

    assert [1, 0] == changed
    assert before + 1 == await rabbit.ready("work.default")
    assert [] == await database.fetch("SELECT 1 FROM outbox")


async def test_a_cancelled_batch_cancels_what_comes_late(database: Database, link: Broker) -> None:
    """It was on its way over AMQP; the batch had not ended, or has ended and is open again."""
    batch, orders, counter = empty(), BatchOrders(database, link), BatchCounter(database, link)
    first, second = submission(batch_id=batch.id), submission(batch_id=batch.id)
    await batches.create(database, batch, [first])
    await batch_orders.give(database, Do.CANCEL, batch.id)
    await orders.once()
    await counter.once()
    left = await orders.once()
    await born(database, second)
    await counter.once()
    await orders.once()

    assert 0 == left
    assert ["cancelled", "cancelled"] == [await field(database, job, "state") for job in (first, second)]
