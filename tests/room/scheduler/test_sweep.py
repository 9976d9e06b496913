"""The sweep: what a writer left in the outbox is published, and nothing is leased while nobody could take it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest_asyncio

from persistence.accepting import outbox
from persistence.accepting.accept import insert
from persistence.accepting.submission import Submission, fill
from persistence.declared.declare import declare, open_ways
from persistence.declared.job_types import JobType, register
from persistence.store.database import Database
from scheduler.sweep import FIRST_BACKOFF_SECONDS, Sweep
from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.rabbit import Rabbit
from wire import envelope
from wire.envelope import Envelope
from wire.identity import fresh_id
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler
from wire.topology import Profile
from wire.tracing import Trace

ECHO = JobType("echo", "default", "", '{"type": "object"}', 5, 3, 30.0, 2.0, 300.0)
WORK = "work.default"


@pytest_asyncio.fixture
async def sweep(database: Database, broker: Broker) -> Sweep:
    """A sweep whose ticks the test calls."""
    await declare(broker, database, "classic")
    await register(database, [ECHO])
    await open_ways(broker, Profile.CLASSIC, [ECHO])
    return Sweep(database, broker, Scheduler(sweep_batch=10))


@pytest_asyncio.fixture
async def rabbit(places: Places) -> Rabbit:
    return Rabbit(places.amqp_url, places.management_url, places.vhost)


async def test_what_its_writer_left_is_published_once(sweep: Sweep, database: Database, rabbit: Rabbit) -> None:
    before = await rabbit.ready(WORK)
    await _accept(database, jobs=3, left=True)
    seen = [await sweep.once(), await sweep.once()]

    assert ([3, 0], 0) == (seen, await _rows(database))
    assert before + 3 == await rabbit.ready(WORK)


async def test_a_fresh_row_is_left_to_its_writer(sweep: Sweep, database: Database) -> None:
    await _accept(database, jobs=2)

    assert (0, 2) == (await sweep.once(), await _rows(database))


async def test_a_row_whose_message_nobody_needs_is_deleted_unpublished(
    sweep: Sweep, database: Database, rabbit: Rabbit
) -> None:
    """
    Its job has gone on: another run is current, or it has ended.
    """
    before = await rabbit.ready(WORK)
    await _accept(database, jobs=2, left=True)
    await database.fetch("UPDATE jobs SET run = run + 1 WHERE id = (SELECT min(id::text)::uuid FROM jobs)")
    await database.fetch("UPDATE jobs SET state = 'completed' WHERE run = 1")
    await sweep.once()

    assert (0, before) == (await _rows(database), await rabbit.ready(WORK))


async def test_a_batch_is_bounded_and_the_next_tick_takes_the_rest(sweep: Sweep, database: Database) -> None:
    await _accept(database, jobs=25, left=True)

    assert [10, 10, 5, 0] == [await sweep.once() for _ in range(4)]


async def test_two_sweeps_share_the_rows(sweep: Sweep, database: Database, broker: Broker, rabbit: Rabbit) -> None:
    before = await rabbit.ready(WORK)
    other = Sweep(database, broker, Scheduler(sweep_batch=10))
    await _accept(database, jobs=20, left=True)
    seen = await asyncio.gather(sweep.once(), other.once())
    await sweep.once()

    assert 20 >= sum(seen)
    assert (0, before + 20) == (await _rows(database), await rabbit.ready(WORK))


async def test_nothing_is_leased_while_the_broker_is_away(database: Database) -> None:
    """
    An outage must not use up the back-off.
    """
    await register(database, [ECHO])
    await _accept(database, jobs=1, left=True)
    away = Broker("amqp://nobody:nothing@127.0.0.1:1/", "test", timeout_seconds=0.3)
    sweep = Sweep(database, away, Scheduler(sweep_seconds=0.05))
    await away.start()
    await sweep.start()
    await eventually(lambda: "connect" in away.last_error.lower())
    await sweep.stop()
    await away.stop()

    assert [0] == [row["tries"] for row in await database.fetch("SELECT tries FROM outbox")]


async def test_an_unconfirmed_row_comes_again_later_and_later(database: Database) -> None:
    await register(database, [ECHO])
    await _accept(database, jobs=1, left=True)
    waits = []
    for _ in range(3):
        await database.fetch("UPDATE outbox SET publish_after = clock_timestamp()")
        await outbox.lease(database, 10, FIRST_BACKOFF_SECONDS)
        (row,) = await database.fetch("SELECT publish_after - clock_timestamp() AS wait FROM outbox")
        waits.append(round(row["wait"].total_seconds() / FIRST_BACKOFF_SECONDS))

    assert [1, 2, 4] == waits


async def _accept(database: Database, jobs: int, *, left: bool = False) -> None:
    """Rows with their outbox rows; `left`: by a writer that has died since."""
    async with database.transaction() as transaction:
        await insert(transaction, [_submission() for _ in range(jobs)])
    if left:
        await database.fetch("UPDATE outbox SET publish_after = clock_timestamp()")


def _submission() -> Submission:
    said = Envelope("echo", {}, b"{}", id=fresh_id())
    return fill(said, ECHO, envelope.encode(said), Trace.begin(), datetime.now(UTC))


async def _rows(database: Database) -> int:
    return int((await database.fetch("SELECT count(*) AS rows FROM outbox"))[0]["rows"])
