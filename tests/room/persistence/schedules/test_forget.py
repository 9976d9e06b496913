"""Old runs are forgotten, but of each schedule the last ones."""

from __future__ import annotations

from datetime import timedelta

from persistence.schedules.change import delete
from persistence.schedules.forget import START, Place, forget_runs
from persistence.schedules.schedule import Overlap, Schedule
from persistence.store.database import Database
from tests.room.persistence.schedules.plans import ago, closed, ended, fates, fired_once, made

AT_ONCE = timedelta(0)


async def _forgotten(database: Database, limit: int = 100) -> int:
    """By a whole pass, which keeps two of each schedule."""
    after: Place | None = START
    total = 0
    while after is not None:
        gone, after = await forget_runs(database, after, limit, older_than=AT_ONCE, kept=2)
        total += gone
    return total


async def _ran(database: Database, schedule: Schedule, times: int) -> None:
    for _ in range(times):
        (post,) = (await fired_once(database, schedule)).posts
        await ended(database, post.job_id)
    await closed(database, schedule)


async def test_of_each_schedule_the_last_runs_are_kept(database: Database) -> None:
    often, seldom = [await made(database, ago(600)) for _ in range(2)]
    await _ran(database, often, 5)
    await _ran(database, seldom, 1)

    assert 3 == await _forgotten(database, limit=2)
    assert [2, 1] == [len(await fates(database, one)) for one in (often, seldom)]
    assert 0 == await _forgotten(database)


async def test_young_and_open_runs_are_kept(database: Database) -> None:
    schedule = await made(database, ago(600), overlap=Overlap.BUFFER_ALL)
    for _ in range(4):
        await fired_once(database, schedule)

    assert 0 == await _forgotten(database)
    assert (0, None) == await forget_runs(database, START, 100)
    assert 4 == len(await fates(database, schedule))


async def test_a_schedule_that_is_gone_keeps_none(database: Database) -> None:
    schedule = await made(database, ago(600))
    await _ran(database, schedule, 3)
    await delete(database, schedule.id)

    assert 3 == await _forgotten(database)
