"""The database's clock is set: no due time is fired twice and none is lost, and the clock goes by what it says now.

Nobody may set a real server's clock, so it is given another one: a function of ours that stands before its own in the
search path of every connection, and adds to the true time what a table says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from persistence.schedules.schedule import CatchUp, Overlap, Schedule
from persistence.store.database import Database
from tests.eventually import eventually
from tests.room.scheduler.clock.conftest import Ticking
from tests.room.scheduler.clock.plans import found, made, runs
from wire.times.when import When

STEP = timedelta(seconds=0.1)
OFTEN = When(interval_seconds=STEP.total_seconds())
HOUR = timedelta(hours=1)
SETTABLE = """
CREATE TABLE set_by (hours float8 NOT NULL);
INSERT INTO set_by VALUES (0);
CREATE FUNCTION warren.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
  'SELECT pg_catalog.clock_timestamp() + (SELECT make_interval(secs => 3600 * hours) FROM warren.set_by)'
"""


class Settable(Database):
    """Its clock can be set."""

    def _session(self) -> dict[str, str]:
        return super()._session() | {"search_path": "warren, pg_catalog"}

    async def set_by(self, hours: float) -> None:
        await self.fetch("UPDATE set_by SET hours = $1", hours)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    settable = Settable(database_url, "test", connections=4, timeout_seconds=10)
    async with settable.connection() as connection:
        await connection.execute(SETTABLE)
    yield settable
    await settable.stop()


async def test_a_clock_that_is_set_forward_passes_over_nothing_unseen(ticking: Ticking, database: Settable) -> None:
    """
    What lies between is missed, as after an outage, and counted.
    """
    schedule = await made(database, OFTEN, overlap=Overlap.ALLOW, catch_up=CatchUp.NONE)
    async with ticking():
        await eventually(lambda: _has_fired(database, schedule, 3))
        await database.set_by(1)
        await eventually(lambda: _has_missed(database, schedule, HOUR // STEP - 1_000))
        fired = (await found(database, schedule)).fired
        await eventually(lambda: _has_fired(database, schedule, fired + 3))
    await _accounts_for_all(database, schedule)


async def test_a_clock_that_is_set_back_fires_nothing_again(ticking: Ticking, database: Settable) -> None:
    """
    What it says comes again, and the due times do not; when it has caught up with itself, the next one is fired.
    """
    await database.set_by(1)
    schedule = await made(database, OFTEN, overlap=Overlap.ALLOW)
    async with ticking():
        await eventually(lambda: _has_fired(database, schedule, 3))
        await database.set_by(0)
        marker = await made(database, OFTEN, overlap=Overlap.ALLOW)
        await eventually(lambda: _has_fired(database, marker, 1))
        before = (await found(database, schedule)).fired
        await eventually(lambda: _has_fired(database, marker, 6))
        since = (await found(database, schedule)).fired - before
        await database.set_by(1)
        await eventually(lambda: _has_fired(database, schedule, before + 3))

    assert 0 == since
    await _accounts_for_all(database, schedule)


async def _accounts_for_all(database: Database, schedule: Schedule) -> None:
    """Each due time up to the next one was fired, or missed."""
    after = await found(database, schedule)
    fired = [due for due, _, fate, _ in await runs(database, schedule) if fate == "fired"]
    assert schedule.next.due_at is not None
    assert after.next.due_at is not None

    assert (after.next.due_at - schedule.next.due_at) / STEP == after.fired + after.missed
    assert after.fired == len(fired) == len(set(fired))


async def _has_fired(database: Database, schedule: Schedule, least: int) -> bool:
    return (await found(database, schedule)).fired >= least


async def _has_missed(database: Database, schedule: Schedule, least: int) -> bool:
    return (await found(database, schedule)).missed >= least
