"""Retention as a loop: what its settings say, and births first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest_asyncio

from persistence.declared.declare import declare
from persistence.store.database import Database
from scheduler.retention import Retention
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.persistence.rows import accepted, submission
from wire.message import Outgoing
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler
from wire.topology import BIRTHS


@pytest_asyncio.fixture
async def link(database: Database, places: Places) -> AsyncIterator[Broker]:
    broker = Broker(places.amqp_url, "test", timeout_seconds=10)
    await broker.start()
    await declare(broker, database, "classic")
    await broker.wait_connected()
    async with broker._scratch() as channel:
        await channel.queue_purge(BIRTHS)
    yield broker
    await broker.stop()


async def finished(database: Database, state: str, age: timedelta) -> None:
    await accepted(database, job := submission())
    await database.fetch(
        "UPDATE jobs SET state = $1, created_at = now() - $2::interval, finished_at = now() - $2::interval"
        " WHERE id = $3",
        state, age, job.id,
    )  # fmt: skip


async def states(database: Database) -> list[str]:
    return [row["state"] for row in await database.fetch("SELECT state FROM jobs ORDER BY state")]


async def test_completed_jobs_go_after_a_day_and_the_others_after_two_weeks(database: Database, link: Broker) -> None:
    for state in ("completed", "failed", "cancelled", "expired"):
        await finished(database, state, timedelta(days=2))
    first = await Retention(database, link, Scheduler()).once()
    for state in ("failed", "cancelled", "expired"):
        await finished(database, state, timedelta(days=15))
    second = await Retention(database, link, Scheduler()).once()

    assert (1, 3) == (first, second)
    assert ["cancelled", "expired", "failed"] == await states(database)


async def test_nothing_is_forgotten_while_births_wait_to_be_recorded(database: Database, link: Broker) -> None:
    """A birth that is recorded after its job was done and deleted would make it wait for ever."""
    retention = Retention(database, link, Scheduler())
    await finished(database, "completed", timedelta(days=2))
    await link.publish(Outgoing("", BIRTHS, b"{}", str(uuid4()), "echo", 5, {}))
    await eventually(lambda: link.depth(BIRTHS))
    kept = await retention.once()
    async with link._scratch() as channel:
        await channel.queue_purge(BIRTHS)

    assert (0, 1) == (kept, await retention.once())
