"""Between due times the clock sees how runs ended, starts what waited for that, and carries on with backfills."""

from __future__ import annotations

from datetime import datetime, timedelta

from persistence.schedules.backfill import begin
from persistence.schedules.schedule import Overlap, PausedBecause, Schedule, Standing
from persistence.store.database import Database
from tests.eventually import eventually
from tests.room.scheduler.clock.conftest import Ticking
from tests.room.scheduler.clock.plans import all_ended, fates, found, made, runs
from wire.identity import fresh_id
from wire.times.when import When

OFTEN = When(interval_seconds=0.1)
HOUR = timedelta(hours=1)
HALF = timedelta(minutes=30)


async def test_what_waits_starts_when_the_one_before_has_ended(ticking: Ticking, database: Database) -> None:
    schedule = await made(database, OFTEN, overlap=Overlap.BUFFER_ONE)
    async with ticking():
        await eventually(lambda: _has(database, schedule, fired=1, buffered=1))
        await all_ended(database)
        await eventually(lambda: _has(database, schedule, fired=2))


async def test_a_schedule_that_fails_too_often_in_a_row_is_paused(ticking: Ticking, database: Database) -> None:
    schedule = await made(database, OFTEN, overlap=Overlap.SKIP, pause_after_failures=2)
    async with ticking():
        for n in (1, 2):
            await eventually(lambda n=n: _has(database, schedule, fired=n))
            await all_ended(database, "failed")
        await eventually(lambda: _stands(database, schedule, Standing.PAUSED))
    after = await found(database, schedule)

    assert (PausedBecause.FAILURES, 2, None) == (after.paused_because, after.failures_in_a_row, after.next.due_at)


async def test_a_backfill_runs_its_range_in_steps(ticking: Ticking, database: Database) -> None:
    """
    More than one step takes; the holes alone, in their order, and what comes by itself goes on beside it.
    """
    until = await database.now()
    schedule = await made(database, _not_due_soon(until), overlap=Overlap.ALLOW)
    other = await made(database, OFTEN, overlap=Overlap.ALLOW)
    assert await begin(database, fresh_id(), schedule, (until - 60 * HOUR, until), 60)
    async with ticking():
        await eventually(lambda: _has(database, schedule, fired=60))
        await eventually(lambda: _has(database, other, fired=3))
        await eventually(lambda: _is_filled(database))
    seen = await runs(database, schedule)

    assert {"backfill"} == {kind for _, kind, _, _ in seen}
    assert 60 == len({due for due, *_ in seen}) == len(seen)
    assert all(until - 60 * HOUR < due <= until for due, *_ in seen)


async def test_a_buffered_past_does_not_come_at_once(ticking: Ticking, database: Database) -> None:
    """
    A backfill of a schedule whose runs must not overlap runs one after the other.
    """
    until = await database.now()
    schedule = await made(database, _not_due_soon(until), overlap=Overlap.SKIP)
    assert await begin(database, fresh_id(), schedule, (until - 3 * HOUR, until), 3)
    async with ticking():
        for n in (1, 2, 3):
            await eventually(lambda n=n: _has(database, schedule, fired=n, buffered=3 - n))
            await all_ended(database)


def _not_due_soon(now: datetime) -> When:
    """Each hour, last half an hour ago: no due time of its own comes between."""
    return When(interval_seconds=HOUR.total_seconds(), anchor=now - 99 * HOUR - HALF)


async def _is_filled(database: Database) -> bool:
    rows = await database.fetch("SELECT finished_at FROM schedule_backfills")
    return [True] == [row["finished_at"] is not None for row in rows]


async def _has(database: Database, schedule: Schedule, **wanted: int) -> bool:
    seen = await fates(database, schedule)
    return all(seen[fate] >= number for fate, number in wanted.items())


async def _stands(database: Database, schedule: Schedule, standing: Standing) -> bool:
    return (await found(database, schedule)).state is standing
