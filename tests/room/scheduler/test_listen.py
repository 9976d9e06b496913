"""The scheduler hears of a job that came through SQL, and finds it without being told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from persistence.declared.declare import declare, open_ways
from persistence.declared.job_types import register
from persistence.store.database import Database
from persistence.store.listen import OUTBOX, Listener
from scheduler.sweep import Sweep
from tests.eventually import eventually
from tests.room.persistence.rows import ECHO
from wire.lifecycle import running
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler
from wire.topology import Profile

SUBMIT = "SELECT warren.submit('echo', '{}')"


@pytest_asyncio.fixture
async def patient(database: Database, broker: Broker) -> Sweep:
    """A sweep that looks by itself only at the beginning."""
    await declare(broker, database, "classic")
    await register(database, [ECHO])
    await open_ways(broker, Profile.CLASSIC, [ECHO])
    return Sweep(database, broker, Scheduler(sweep_seconds=60))


@pytest_asyncio.fixture
async def listener(patient: Sweep, database: Database) -> AsyncIterator[Listener]:
    """Both at work."""
    one = Listener(database, {OUTBOX: patient.wake})
    async with running([patient, one]):
        await eventually(lambda: one.connections == 1)
        yield one


async def test_a_notification_wakes_the_sweep(listener: Listener, database: Database) -> None:
    for _ in range(3):
        await database.fetch(SUBMIT)
        await eventually(lambda: _is_empty(database))


async def test_a_lost_connection_is_made_anew_and_what_came_meanwhile_is_found(
    listener: Listener, database: Database
) -> None:
    """
    The job is submitted without a notification, so that only the new connection can be what wakes the sweep.
    """
    await eventually(lambda: _is_empty(database))
    async with database.transaction() as transaction:
        await transaction.execute("SET LOCAL warren.notify = off")
        await transaction.execute(SUBMIT)
    await database.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'warren listener %' AND datname = current_database()"
    )
    await eventually(lambda: listener.connections == 2)
    await eventually(lambda: _is_empty(database))


async def test_a_notification_that_is_lost_is_made_good_by_the_poll(database: Database, patient: Sweep) -> None:
    """
    Nobody listens here; a row of this door has no grace, so the first look takes it.
    """
    await database.fetch(SUBMIT)

    assert 1 == await patient.once()
    assert await _is_empty(database)


async def test_without_postgres_it_goes_on_trying_and_stops_when_told() -> None:
    heard = asyncio.Event()
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing", "test", connections=1, timeout_seconds=1)
    one = Listener(nowhere, {OUTBOX: heard.set})
    async with running([one]):
        await asyncio.sleep(0)

    assert (0, False) == (one.connections, heard.is_set())


async def _is_empty(database: Database) -> bool:
    return [] == await database.fetch("SELECT 1 FROM outbox")
