"""What a due time does that finds the previous run still open: one test a policy."""

from __future__ import annotations

import asyncio

from persistence.ending.cancel import cancel
from persistence.schedules.change import delete
from persistence.schedules.pause import pause
from persistence.schedules.schedule import Fate, Overlap, Standing
from persistence.store.database import Database
from tests.room.persistence.rows import working
from tests.room.persistence.schedules.plans import (
    ago,
    closed,
    ended,
    fates,
    fired_once,
    found,
    made,
    started,
    turn,
)  # fmt: skip

FIRED, OVERLAP = ("fired", None), ("skipped", "overlap")


async def test_allow_fires_beside_an_open_run(database: Database) -> None:
    schedule = await made(database, ago(300), overlap=Overlap.ALLOW)
    for _ in range(3):
        await fired_once(database, schedule)

    assert [FIRED] * 3 == await fates(database, schedule)


async def test_skip_skips_until_the_run_has_ended(database: Database) -> None:
    """
    Judged by the job's row: nobody needs to have closed the run.
    """
    schedule = await made(database, ago(300), overlap=Overlap.SKIP)
    (post,) = (await fired_once(database, schedule)).posts
    await fired_once(database, schedule)
    await ended(database, post.job_id)
    await fired_once(database, schedule)
    after = await found(database, schedule)

    assert [FIRED, OVERLAP, FIRED] == await fates(database, schedule)
    assert (2, 1) == (after.fired, after.skipped)


async def test_buffer_one_keeps_one_that_starts_when_the_run_has_ended(database: Database) -> None:
    schedule = await made(database, ago(300), overlap=Overlap.BUFFER_ONE)
    (post,) = (await fired_once(database, schedule)).posts
    for _ in range(2):
        await fired_once(database, schedule)

    assert [FIRED, ("buffered", None), ("skipped", "one_waits")] == await fates(database, schedule)
    assert [] == (await started(database, schedule)).posts

    await ended(database, post.job_id)
    (second,) = (await started(database, schedule)).posts

    assert [FIRED, FIRED, ("skipped", "one_waits")] == await fates(database, schedule)
    assert post.job_id != second.job_id
    assert 2 == (await found(database, schedule)).fired


async def test_buffer_all_starts_each_in_its_turn(database: Database) -> None:
    schedule = await made(database, ago(300), overlap=Overlap.BUFFER_ALL)
    posts = (await fired_once(database, schedule)).posts
    for _ in range(3):
        await fired_once(database, schedule)
    for _ in range(3):
        await ended(database, posts[-1].job_id)
        posts += (await started(database, schedule)).posts

    assert [FIRED] * 4 == await fates(database, schedule)
    assert 4 == len(posts)


async def test_what_comes_while_others_wait_does_not_overtake_them(database: Database) -> None:
    schedule = await made(database, ago(300), overlap=Overlap.BUFFER_ALL)
    (post,) = (await fired_once(database, schedule)).posts
    await fired_once(database, schedule)
    await ended(database, post.job_id)
    await fired_once(database, schedule)

    assert [FIRED, ("buffered", None), ("buffered", None)] == await fates(database, schedule)


async def test_two_clocks_start_a_run_that_waited_once(database: Database) -> None:
    schedule = await made(database, ago(300), overlap=Overlap.BUFFER_ALL)
    (post,) = (await fired_once(database, schedule)).posts
    for _ in range(2):
        await fired_once(database, schedule)
    await ended(database, post.job_id)
    both = await asyncio.gather(*(started(database, schedule) for _ in range(3)))

    assert 1 == sum(len(one.posts) for one in both)
    assert [FIRED, FIRED, ("buffered", None)] == await fates(database, schedule)


async def test_cancel_previous_cancels_what_waits_and_asks_what_runs(database: Database) -> None:
    schedule = await made(database, ago(300), overlap=Overlap.CANCEL_PREVIOUS)
    (first,) = (await fired_once(database, schedule)).posts
    (second,) = (await fired_once(database, schedule)).posts
    await database.fetch(
        "UPDATE jobs SET state = 'running', lease = 1, holder = $2 WHERE id = $1",
        second.job_id,
        await working(database),
    )
    done = await fired_once(database, schedule)
    states = await database.fetch("SELECT id, state FROM jobs WHERE id = ANY($1)", [first.job_id, second.job_id])

    assert {first.job_id: "cancelled", second.job_id: "running"} == {row["id"]: row["state"] for row in states}
    assert [(second.job_id, 1)] == done.asked
    assert [FIRED] * 3 == await fates(database, schedule)


async def test_nothing_that_waits_starts_while_a_person_has_paused_it(database: Database) -> None:
    schedule = await made(database, ago(300), overlap=Overlap.BUFFER_ONE)
    (post,) = (await fired_once(database, schedule)).posts
    await fired_once(database, schedule)
    await pause(database, schedule.id, "not now")
    await ended(database, post.job_id)

    assert [] == (await started(database, schedule)).posts


async def test_what_waits_is_dropped_with_its_schedule(database: Database) -> None:
    schedule = await made(database, ago(300), overlap=Overlap.BUFFER_ONE)
    for _ in range(2):
        await fired_once(database, schedule)

    assert await delete(database, schedule.id)
    assert [FIRED, ("skipped", "over")] == await fates(database, schedule)


async def test_max_runs_holds_for_what_waited(database: Database) -> None:
    schedule = await made(database, ago(300), overlap=Overlap.BUFFER_ALL, max_runs=2)
    posts = (await fired_once(database, schedule)).posts
    for _ in range(2):
        await fired_once(database, schedule)
    for _ in range(2):
        await ended(database, posts[-1].job_id)
        posts += (await started(database, schedule)).posts
    after = await found(database, schedule)

    assert [FIRED, FIRED, ("skipped", "over")] == await fates(database, schedule)
    assert (2, Standing.ENDED, None) == (after.fired, after.state, after.next.due_at)


async def test_a_cancelled_run_is_no_longer_open(database: Database) -> None:
    schedule = await made(database, ago(300))
    (post,) = (await fired_once(database, schedule)).posts
    await cancel(database, post.job_id)
    done = await fired_once(database, schedule)

    assert {schedule.id: Fate.FIRED} == done.fates
    assert 1 == (await closed(database, schedule)).runs


async def test_an_unknown_type_does_not_hide_behind_an_open_run(database: Database) -> None:
    schedule = await made(database, ago(300))
    await fired_once(database, schedule)
    await fired_once(database, schedule, job=None)

    assert [FIRED, ("skipped", "type_unknown")] == await fates(database, schedule)
    assert turn(await found(database, schedule))
