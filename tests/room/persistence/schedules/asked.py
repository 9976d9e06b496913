"""All that Warren asks of Postgres about schedules, once: each function of the package, on schedules that are there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from persistence.questions.pages import Place
from persistence.schedules import (
    backfill,
    buffered,
    census,
    close,
    due,
    forget,
    inherit,
    make,
    pages,
    pause,
    read,
    runs,
)
from persistence.schedules.change import change, delete
from persistence.schedules.job import job_of
from persistence.schedules.pages import Filter
from persistence.schedules.schedule import Overlap, Schedule
from persistence.schedules.trigger import trigger
from persistence.schedules.zones import FIRST, editions, move, page, remember
from persistence.store.database import Database
from tests.bench import lifelike
from tests.room.persistence.rows import ECHO
from tests.room.persistence.schedules.plans import MINUTE, ago, at, fired, fired_once, found, made, turn
from wire.identity import fresh_id
from wire.segments import SEGMENTS

MANY = 40  # schedules a batch, enough for a plan that would suit many
ALL = range(SEGMENTS)
IN_ROME = '{"cron":["0 9 * * *"],"timezone":"Europe/Rome"}'
FILTERS: dict[str, list[Any]] = {  # a common value first, then rare ones
    "state": ["active", "paused", "ended"],
    "job_type": [lifelike.COMMON_TYPE, lifelike.RARE_TYPE],
    "name": ["schedule 77"],
    "tag": [lifelike.COMMON_TAG, lifelike.RARE_TAG],
    "owner": ["somebody"],
}


async def schedules_are_asked_about(database: Database) -> None:
    """Each of them once; what is made is deleted, so that it may be asked again."""
    schedules = [
        await made(database, ago(300), overlap=Overlap(policy)) for policy in Overlap for _ in range(MANY // 5)
    ]
    await _the_clock_turns(database, schedules)
    await _somebody_reads(database, schedules[0])
    await _somebody_orders(database, schedules)
    await _a_zone_changes(database)
    for schedule in schedules:
        await delete(database, schedule.id)
    await forget.forget_runs(database, forget.START, 100)


def _filters(since: datetime) -> Iterator[Filter]:
    """Each alone with each of its values, and all that go together with common ones."""
    known = FILTERS | {"since": [since]}
    assert set(known) == {field.name for field in fields(Filter)}
    for name, values in known.items():
        yield from (Filter(**{name: value}) for value in values[1:])
    for chosen in itertools.product([False, True], repeat=len(known)):
        yield Filter(**{name: known[name][0] for name in itertools.compress(known, chosen)})


async def _the_clock_turns(database: Database, schedules: list[Schedule]) -> None:
    async with database.connection() as connection:
        await inherit.inherit(connection, ALL)
        await inherit.inherit(connection, [3])
        await due.load(connection, ALL, 100)
        await due.load(connection, [3], 100)
    await fired(database, *[turn(one) for one in schedules])
    await fired(database, *[turn(await found(database, one)) for one in schedules])
    for one in schedules:
        await fired_once(database, one)
    async with database.connection() as connection:
        await close.close(connection, ALL, None, 100)
        await close.close(connection, [3], None, 100)
        waits = await buffered.waiting(connection, ALL, 10)
        await buffered.start(connection, [(one, job_of(one.schedule, one.due_at, ECHO)) for one in waits])


async def _somebody_reads(database: Database, schedule: Schedule) -> None:
    since = datetime.now(UTC) - timedelta(minutes=10)
    for wanted in _filters(since):
        await pages.page(database, wanted, 51)
        await pages.page(database, wanted, 51, Place(ago(60), schedule.id))
    await read.get(database, schedule.id)
    await census.census(database)
    await make.owned(database, "somebody")
    await make.owned(database, "")
    await runs.page_of_runs(database, schedule.id, 51)
    await runs.page_of_runs(database, schedule.id, 51, fate="fired", before=ago(0))
    await runs.last_runs(database, [schedule.id])
    await runs.run_of_job(database, fresh_id())


async def _somebody_orders(database: Database, schedules: list[Schedule]) -> None:
    now, schedule = datetime.now(UTC), await found(database, schedules[0])
    await change(database, schedule, replace(schedule.plan, spec="{}"), at(ago(-60)))
    await pause.pause(database, schedules[1].id, None)
    await pause.resume(database, [(await found(database, schedules[1]), at(ago(-60)))])
    await trigger(database, schedule, now, job_of(schedule, now, ECHO))
    dues = [now - n * MINUTE for n in range(20, 10, -1)]
    await backfill.holes(database, schedule.id, dues)
    await backfill.begin(database, fresh_id(), schedule, (dues[0] - MINUTE, dues[-1]), len(dues))
    await backfill.backfills(database, schedule.id, 10)
    async with database.connection() as connection:
        for order in await backfill.ordered(connection, ALL, 10):
            jobs = [(instant, job_of(order.schedule, instant, ECHO)) for instant in dues]
            await backfill.carry_on(connection, order, jobs, dues[-1])


async def _a_zone_changes(database: Database) -> None:
    placed = [await made(database, ago(-3_600), spec=IN_ROME) for _ in range(MANY)]
    async with database.connection() as connection:
        await editions(connection, ALL)
        await page(connection, [3], FIRST, 500)
        found = await page(connection, ALL, UUID(int=placed[0].id.int - 1), 500)
        await move(connection, [(one, at(ago(-7_200))) for one in found.placed])
        await remember(connection, ALL, "2026a")
    for one in placed:
        await delete(database, one.id)
