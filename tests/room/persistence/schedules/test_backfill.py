"""A past range is run once: holes are filled, and what has run is left alone."""

from __future__ import annotations

import asyncio
from datetime import datetime

from persistence.schedules.backfill import Backfill, Ordered, backfills, begin, carry_on, holes, ordered
from persistence.schedules.change import delete
from persistence.schedules.fire import Fired, Missed, Turn
from persistence.schedules.job import job_of
from persistence.schedules.schedule import Overlap, Schedule
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO
from tests.room.persistence.schedules.plans import (
    MINUTE,
    ago,
    at,
    ended,
    fates,
    fired,
    fired_once,
    found,
    made,
    started,
)  # fmt: skip
from wire.identity import fresh_id


def _dues(schedule: Schedule, number: int) -> list[datetime]:
    """The last ones before it is due."""
    assert schedule.next.due_at
    return [schedule.next.due_at - (number - n) * MINUTE for n in range(number)]


async def _begun(database: Database, schedule: Schedule, dues: list[datetime]) -> Backfill:
    backfill = await begin(database, fresh_id(), schedule, (dues[0] - MINUTE, dues[-1]), len(dues))
    assert backfill
    return backfill


async def _order(database: Database, schedule: Schedule) -> Ordered:
    async with database.connection() as connection:
        (order,) = [one for one in await ordered(connection, [schedule.segment], 100) if one.schedule.id == schedule.id]
    return order


async def _carried_on(database: Database, order: Ordered, dues: list[datetime], reached: datetime) -> Fired:
    async with database.connection() as connection:
        return await carry_on(connection, order, [(due, job_of(order.schedule, due, ECHO)) for due in dues], reached)


async def test_a_range_is_run_in_steps_and_only_once(database: Database) -> None:
    schedule = await made(database, overlap=Overlap.ALLOW)
    dues = _dues(schedule, 4)
    backfill = await _begun(database, schedule, dues)
    order = await _order(database, schedule)
    steps = [_carried_on(database, order, dues[:2], dues[1]) for _ in range(3)]
    first = await asyncio.gather(*steps)
    rest = await _carried_on(database, await _order(database, schedule), dues[2:], backfill.until)
    (done,) = await backfills(database, schedule.id, 10)

    assert 2 == sum(len(one.posts) for one in first)
    assert 2 == len(rest.posts)
    assert (4, 4, backfill.until) == (done.runs, done.made, done.reached)
    assert done.finished_at
    assert [] == await holes(database, schedule.id, dues)
    assert 0 == (await found(database, schedule)).fired


async def test_what_has_run_is_left_alone_and_what_was_missed_is_run(database: Database) -> None:
    schedule = await made(database, ago(600), overlap=Overlap.ALLOW)
    due = schedule.next.due_at
    assert due
    await fired_once(database, schedule)
    await fired(
        database, Turn(await found(database, schedule), at(ago(-60)), missed=Missed(1, due + MINUTE, due + MINUTE))
    )
    dues = [due, due + MINUTE, due + 2 * MINUTE]
    await _begun(database, schedule, dues)

    assert dues[1:] == await holes(database, schedule.id, dues)

    done = await _carried_on(database, await _order(database, schedule), dues, dues[-1])

    assert 2 == len(done.posts)
    assert [("fired", None)] * 3 == await fates(database, schedule)


async def test_a_backfill_of_what_must_not_overlap_runs_one_after_the_other(database: Database) -> None:
    schedule = await made(database, overlap=Overlap.SKIP)
    dues = _dues(schedule, 2)
    await _begun(database, schedule, dues)
    done = await _carried_on(database, await _order(database, schedule), dues, dues[-1])

    assert [] == done.posts
    assert [("buffered", None)] * 2 == await fates(database, schedule)

    (first,) = (await started(database, schedule)).posts

    assert [] == (await started(database, schedule)).posts
    await ended(database, first.job_id)
    assert 1 == len((await started(database, schedule)).posts)
    assert 0 == (await found(database, schedule)).fired


async def test_a_backfill_ends_with_its_schedule(database: Database) -> None:
    schedule = await made(database)
    dues = _dues(schedule, 2)
    await _begun(database, schedule, dues)
    order = await _order(database, schedule)
    await delete(database, schedule.id)
    done = await _carried_on(database, order, dues, dues[-1])

    assert [] == done.posts
    assert [] == await fates(database, schedule)
