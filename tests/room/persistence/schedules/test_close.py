"""How runs end is written down, and a schedule that fails too often in a row is paused."""

from __future__ import annotations

import asyncio

import pytest

from persistence.schedules.close import FIRST, close
from persistence.schedules.pause import pause, resume
from persistence.schedules.runs import last_runs, page_of_runs, run_of_job
from persistence.schedules.schedule import NEVER, Kind, Overlap, PausedBecause, Schedule, Standing
from persistence.store.database import Database
from tests.room.persistence.schedules.plans import (
    ago,
    at,
    closed,
    ended,
    fired_once,
    found,
    made,
)  # fmt: skip


async def _ran(database: Database, schedule: Schedule, *states: str) -> None:
    """One run after the other, each closed at its end."""
    for state in states:
        (post,) = (await fired_once(database, schedule)).posts
        await ended(database, post.job_id, state)
        await closed(database, schedule)


async def test_a_run_is_closed_once_with_its_outcome(database: Database) -> None:
    schedule = await made(database, ago(300))
    (post,) = (await fired_once(database, schedule)).posts
    before = await closed(database, schedule)
    await ended(database, post.job_id, "failed")
    both = await asyncio.gather(closed(database, schedule), closed(database, schedule))
    run = await run_of_job(database, post.job_id)

    assert 0 == before.runs
    assert 1 == sum(one.runs for one in both)
    assert run
    assert ("failed", schedule.id, Kind.DUE, False) == (run.outcome, run.schedule_id, run.kind, run.ended_at is None)
    assert 1 == (await found(database, schedule)).failures_in_a_row


@pytest.mark.parametrize(
    ("states", "failures"),
    [
        (("failed", "failed"), 2),
        (("failed", "completed"), 0),
        (("failed", "completed", "failed"), 1),
        (("failed", "cancelled"), 1),
    ],
)
async def test_failures_are_counted_in_a_row(database: Database, states: tuple[str, ...], failures: int) -> None:
    schedule = await made(database, ago(600))
    await _ran(database, schedule, *states)

    assert failures == (await found(database, schedule)).failures_in_a_row


@pytest.mark.parametrize(("states", "failures"), [(("failed", "completed", "failed"), 1), (("failed",) * 3, 3)])
async def test_those_that_ended_since_the_last_look_count_in_their_order(
    database: Database, states: tuple[str, ...], failures: int
) -> None:
    schedule = await made(database, ago(600), overlap=Overlap.ALLOW)
    for state in states:
        (post,) = (await fired_once(database, schedule)).posts
        await ended(database, post.job_id, state)
    await closed(database, schedule)

    assert failures == (await found(database, schedule)).failures_in_a_row


async def test_too_many_failures_in_a_row_pause_it(database: Database) -> None:
    schedule = await made(database, ago(600), pause_after_failures=2)
    await _ran(database, schedule, "failed", "failed")
    after = await found(database, schedule)

    assert (Standing.PAUSED, PausedBecause.FAILURES, NEVER) == (after.state, after.paused_because, after.next)
    assert "2 failed in a row" == after.paused_note

    (resumed,) = await resume(database, [(after, at(ago(-60)))])

    assert (Standing.ACTIVE, 0, None) == (resumed.state, resumed.failures_in_a_row, resumed.paused_because)


async def test_a_failure_leaves_a_pause_as_the_person_made_it(database: Database) -> None:
    schedule = await made(database, ago(600), pause_after_failures=1)
    (post,) = (await fired_once(database, schedule)).posts
    await pause(database, schedule.id, "on holiday")
    await ended(database, post.job_id, "failed")
    done = await closed(database, schedule)
    after = await found(database, schedule)

    assert [] == done.paused
    assert (PausedBecause.PERSON, "on holiday", 1) == (after.paused_because, after.paused_note, after.failures_in_a_row)


async def test_a_run_whose_job_is_forgotten_is_closed(database: Database) -> None:
    schedule = await made(database, ago(300))
    (post,) = (await fired_once(database, schedule)).posts
    await database.fetch("DELETE FROM jobs WHERE id = $1", post.job_id)
    done = await closed(database, schedule)
    run = await run_of_job(database, post.job_id)

    assert 1 == done.runs
    assert run
    assert (None, False) == (run.outcome, run.ended_at is None)


async def test_open_runs_are_walked_in_steps(database: Database) -> None:
    schedule = await made(database, ago(600), overlap=Overlap.ALLOW)
    posts = [(await fired_once(database, schedule)).posts[0] for _ in range(5)]
    for post in posts:
        await ended(database, post.job_id)
    place, steps = FIRST, 0
    async with database.connection() as connection:
        while (done := await close(connection, [schedule.segment], place, 2)).after is not None:
            place, steps = done.after, steps + 1

    assert 2 == steps
    assert 0 == (await closed(database, schedule)).runs


async def test_runs_are_read_newest_first_with_their_jobs(database: Database) -> None:
    schedule = await made(database, ago(600), overlap=Overlap.SKIP)
    await _ran(database, schedule, "completed")
    await fired_once(database, schedule)
    await fired_once(database, schedule)
    skipped, running, done = await page_of_runs(database, schedule.id, 10)
    last = await last_runs(database, [schedule.id])

    assert [None, "queued", "completed"] == [skipped.job_state, running.job_state, done.job_state]
    assert [done] == await page_of_runs(database, schedule.id, 10, before=running.due_at)
    assert [skipped] == await page_of_runs(database, schedule.id, 10, fate="skipped")
    assert {schedule.id: running} == last
