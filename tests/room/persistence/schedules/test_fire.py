"""A due time has one run and one job, whatever clocks do."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from msgspec.structs import replace as structs_replace

from persistence.accepting import outbox
from persistence.attempts.claim import Answer
from persistence.declared import pauses
from persistence.questions import counts
from persistence.schedules.fire import Missed, Turn
from persistence.schedules.job import job_of
from persistence.schedules.schedule import NEVER, Fate, Kind, Standing, job_id_of
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO, ask, working
from tests.room.persistence.schedules.plans import (
    MINUTE,
    ago,
    at,
    fates,
    fired,
    found,
    made,
    turn,
)  # fmt: skip

# However long ago the tests before have left theirs
DUE_ALONE = "UPDATE outbox SET publish_after = clock_timestamp() + make_interval(hours => (seq <> $1)::int)"


async def test_a_due_time_makes_a_job_as_every_door_makes_it(database: Database) -> None:
    schedule = await made(database, priority=9)
    due = schedule.next.due_at
    assert due is not None
    (post,) = (await fired(database, turn(schedule))).posts
    (job,) = await database.fetch("SELECT * FROM jobs WHERE id = $1", post.job_id)
    (waiting,) = await database.fetch("SELECT job_id, seq FROM outbox WHERE job_id = $1", post.job_id)
    after = await found(database, schedule)

    assert job_id_of(schedule.id, due) == job["id"]
    assert ("echo", "default", "queued", 9, ECHO.max_retries) == (
        job["type"], job["queue"], job["state"], job["priority"], job["max_retries"],
    )  # fmt: skip
    said = json.loads(job["body"])
    assert {"message": "hi"} == said["payload"]
    assert {"id", "name", "due_at", "following"} == set(said["x_schedule"])
    assert (post.job_id, post.seq, post.body) == (waiting["job_id"], waiting["seq"], job["body"])
    assert (1, at(due + MINUTE), Standing.ACTIVE) == (after.fired, after.next, after.state)
    assert [("fired", None)] == await fates(database, schedule)


async def test_two_clocks_with_the_same_turns_make_each_run_once(database: Database) -> None:
    turns = [turn(await made(database)) for _ in range(40)]
    halves = await asyncio.gather(*(fired(database, *some) for some in (turns, turns[::-1], turns)))
    ids = [one.job.id for one in turns if one.job]
    jobs = await database.fetch("SELECT id FROM jobs WHERE id = ANY($1)", ids)

    assert 40 == len(jobs) == sum(len(half.posts) for half in halves)
    assert 40 == len({post.job_id for half in halves for post in half.posts})
    assert {1} == {(await found(database, one.schedule)).fired for one in turns}


async def test_what_is_not_published_is_the_sweeps(database: Database) -> None:
    (post,) = (await fired(database, turn(await made(database)))).posts
    await database.fetch(DUE_ALONE, post.seq)
    (swept,), needless = await outbox.lease(database, 10, 10)

    assert (post.job_id, post.body, post.trace.trace_id) == (swept.job_id, swept.body, swept.trace.trace_id)
    assert [] == needless


async def test_nothing_fires_early_or_of_an_old_version(database: Database) -> None:
    early, edited = await made(database, ago(-60)), await made(database)
    await database.fetch("UPDATE schedules SET version = version + 1 WHERE id = $1", edited.id)
    done = await fired(database, turn(early), turn(edited))

    assert ([], {}) == (done.posts, done.fates)
    assert [] == await fates(database, early) + await fates(database, edited)


async def test_a_run_that_exists_is_left_alone_and_the_schedule_goes_on(database: Database) -> None:
    schedule = await made(database)
    await fired(database, turn(schedule))
    back = "UPDATE schedules SET next_due = $1, next_fire_at = $1 WHERE id = $2"
    await database.fetch(back, schedule.next.due_at, schedule.id)
    again = await fired(database, turn(schedule))

    assert ([], {schedule.id: None}) == (again.posts, again.fates)
    assert 1 == (await found(database, schedule)).fired
    assert [("fired", None)] == await fates(database, schedule)


async def test_max_runs_are_counted_exactly_and_end_it(database: Database) -> None:
    schedule = await made(database, ago(300), max_runs=2, overlap="allow")
    for _ in range(2):
        await fired(database, turn(await found(database, schedule)))
    after = await found(database, schedule)

    assert (2, Standing.ENDED, NEVER) == (after.fired, after.state, after.next)


async def test_a_schedule_without_a_next_due_time_ends(database: Database) -> None:
    schedule = await made(database)
    await fired(database, turn(schedule, NEVER))

    assert Standing.ENDED == (await found(database, schedule)).state


async def test_missed_due_times_are_counted_and_kept_as_one_row(database: Database) -> None:
    schedule = await made(database, ago(600))
    first = schedule.next.due_at
    assert first is not None
    missed = Missed(9, first, first + 8 * MINUTE)
    now = first + 9 * MINUTE
    done = await fired(database, turn(schedule, at(now + MINUTE), due_at=now, kind=Kind.CAUGHT_UP, missed=missed))
    after = await found(database, schedule)

    assert {schedule.id: Fate.FIRED} == done.fates
    assert (9, 1) == (after.missed, after.fired)
    assert [("missed", missed.because), ("fired", None)] == await fates(database, schedule)
    assert "no_clock: 9 since " in missed.because


async def test_a_turn_may_only_move_on(database: Database) -> None:
    schedule = await made(database, ago(600))
    assert schedule.next.due_at
    missed = Missed(1, schedule.next.due_at, schedule.next.due_at)
    done = await fired(database, Turn(schedule, at(ago(-60)), missed=missed))

    assert {schedule.id: None} == done.fates
    assert [("missed", "no_clock")] == await fates(database, schedule)


async def test_an_unknown_type_is_a_skipped_run_and_no_stuck_clock(database: Database) -> None:
    schedule = await made(database)
    done = await fired(database, turn(schedule, job=None))
    after = await found(database, schedule)

    assert {schedule.id: Fate.SKIPPED} == done.fates
    assert [("skipped", "type_unknown")] == await fates(database, schedule)
    assert (0, 1, Standing.ACTIVE) == (after.fired, after.skipped, after.state)


async def test_one_that_postgres_cannot_store_fails_no_other(database: Database) -> None:
    turns = [turn(await made(database)) for _ in range(7)]
    assert turns[3].job
    bad = replace(turns[3], job=structs_replace(turns[3].job, tags=("\x00",)))
    done = await fired(database, *turns[:3], bad, *turns[4:])

    assert 6 == len(done.posts)
    assert [("skipped", "unstorable")] == await fates(database, bad.schedule)
    assert 7 == len(done.fates)


async def test_jobs_of_schedules_are_counted_like_all_others(database: Database) -> None:
    before = sum(row.jobs for row in await counts.jobs(database))
    await fired(database, turn(await made(database)))

    assert before + 1 == sum(row.jobs for row in await counts.jobs(database))


async def test_of_two_turns_of_a_schedule_in_one_batch_the_first_is_done(database: Database) -> None:
    schedule = await made(database, overlap="allow")
    first = turn(schedule)
    assert first.due_at
    later = turn(schedule, due_at=first.due_at + MINUTE, job=job_of(schedule, first.due_at + MINUTE, ECHO))
    done = await fired(database, later, first)

    assert [job_id_of(schedule.id, first.due_at)] == [post.job_id for post in done.posts]
    assert 1 == (await found(database, schedule)).fired


async def test_a_run_of_a_paused_type_is_made_and_held_like_any_job(database: Database) -> None:
    """
    Whoever pauses a type stops its jobs and no clock: the run is seen to wait.
    """
    await pauses.pause(database, pauses.Kind.TYPE, "echo", by="somebody", note=None)
    job = turn(schedule := await made(database)).job
    assert job
    done = await fired(database, turn(schedule, job=job))
    claimed = await ask(database, await working(database), job)
    await pauses.resume(database, pauses.Kind.TYPE, "echo")

    assert {schedule.id: Fate.FIRED} == done.fates
    assert Answer.PAUSED == claimed.answer
