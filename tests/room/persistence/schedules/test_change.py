"""Edits, pauses, deletes and triggers: what a person does to a schedule."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg

from persistence.schedules.change import change, delete
from persistence.schedules.job import job_of
from persistence.schedules.pages import Filter
from persistence.schedules.pause import pause, pause_all, resume
from persistence.schedules.read import get
from persistence.schedules.runs import page_of_runs, run_of_job
from persistence.schedules.schedule import NEVER, Kind, PausedBecause, Standing
from persistence.schedules.trigger import trigger
from persistence.store.database import Database
from persistence.store.listen import SCHEDULES
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.persistence.rows import ECHO
from tests.room.persistence.schedules.plans import (
    ago,
    at,
    fates,
    fired,
    fired_once,
    found,
    made,
    turn,
)  # fmt: skip


async def test_a_clock_that_loaded_the_old_version_fires_nothing_of_it(database: Database) -> None:
    schedule = await made(database)
    changed = await change(database, schedule, replace(schedule.plan, spec='{"once_at":1}'), at(ago(2)))
    done = await fired(database, turn(schedule))

    assert changed
    assert {} == done.fates
    assert (2, '{"once_at":1}', schedule.created_at) == (changed.version, changed.plan.spec, changed.created_at)


async def test_an_edit_of_a_description_loses_no_due_time(database: Database) -> None:
    schedule = await made(database, ago(600))
    changed = await change(database, schedule, replace(schedule.plan, description="of the month"), at(ago(-60)))

    assert changed
    assert schedule.next == changed.next


async def test_the_second_of_two_edits_is_told_that_it_is_late(database: Database) -> None:
    schedule = await made(database)
    plans = [replace(schedule.plan, name=name) for name in ("a", "b")]
    done = await asyncio.gather(*(change(database, schedule, plan, at(ago(1))) for plan in plans))

    assert 1 == done.count(None)


async def test_an_edit_starts_again_what_had_ended_and_not_what_is_paused(database: Database) -> None:
    over, paused = await made(database), await made(database)
    await fired(database, turn(over, NEVER))
    await pause(database, paused.id, None)
    coming, plan = at(ago(-60)), replace(over.plan, spec="{}")
    states = [
        (one.state, one.next)
        for before in (over, paused)
        if (one := await change(database, await found(database, before), plan, coming))
    ]

    assert [(Standing.ACTIVE, coming), (Standing.PAUSED, NEVER)] == states


async def test_fewer_runs_than_were_fired_end_it(database: Database) -> None:
    schedule = await made(database, ago(300))
    await fired_once(database, schedule)
    before = await found(database, schedule)
    changed = await change(database, before, replace(before.plan, max_runs=1), at(ago(-60)))

    assert changed
    assert (Standing.ENDED, NEVER) == (changed.state, changed.next)


async def test_a_paused_schedule_fires_nothing_and_goes_on_where_it_is_told(database: Database) -> None:
    schedule = await made(database)
    paused = await pause(database, schedule.id, "until Monday")
    again = await pause(database, schedule.id, "something else")
    done = await fired(database, turn(schedule))

    assert paused
    assert {} == done.fates
    assert paused == again
    assert (PausedBecause.PERSON, "until Monday") == (paused.paused_because, paused.paused_note)

    coming = at(ago(-60))
    resumed = await resume(database, [(paused, coming)])

    assert [(Standing.ACTIVE, coming, None)] == [(one.state, one.next, one.paused_note) for one in resumed]
    assert [] == await resume(database, [(paused, coming)])


async def test_all_that_match_are_paused(database: Database) -> None:
    schedules = [await made(database, tags=("all",)) for _ in range(3)]
    other = await made(database)

    assert 3 == await pause_all(database, Filter(tag="all"), "a note")
    assert {Standing.PAUSED} == {(await found(database, one)).state for one in schedules}
    assert Standing.ACTIVE == (await found(database, other)).state


async def test_a_deleted_schedule_leaves_its_runs(database: Database) -> None:
    schedule = await made(database)
    (post,) = (await fired_once(database, schedule)).posts

    assert await delete(database, schedule.id)
    assert not await delete(database, schedule.id)
    assert await get(database, schedule.id) is None
    assert [("fired", None)] == await fates(database, schedule)
    assert await run_of_job(database, post.job_id)


async def test_a_trigger_fires_whatever_the_state_and_counts_for_nothing(database: Database) -> None:
    schedule, now = await made(database), datetime.now(UTC)
    await pause(database, schedule.id, None)
    job = job_of(schedule, now, ECHO)
    done = await trigger(database, schedule, now, job)
    again = await trigger(database, schedule, now, job)
    after = await found(database, schedule)

    assert done
    run, (post,) = done
    assert (Kind.TRIGGERED, now, job.id) == (run.kind, run.due_at, post.job_id)
    assert again is None
    assert (0, Standing.PAUSED) == (after.fired, after.state)
    assert ["queued"] == [one.job_state for one in await page_of_runs(database, schedule.id, 5)]


async def test_clocks_are_told_of_each_change(places: Places, database: Database) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(places.database_url)
    await listener.add_listener(SCHEDULES, lambda *said: heard.append(said[-1]))
    schedule = await made(database)
    changed = await change(database, schedule, replace(schedule.plan, spec="{}"), at(ago(1)))
    paused = await pause(database, schedule.id, None)
    assert changed
    assert paused
    await resume(database, [(paused, at(ago(1)))])
    await delete(database, schedule.id)

    assert await eventually(lambda: len(heard) == 4)
    await listener.close()
