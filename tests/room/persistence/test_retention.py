"""What has had its day is forgotten, in small batches, and never comes back to life."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer
from persistence.ending import retention
from persistence.ending.retention import Rule
from persistence.letters import redrive_runs
from persistence.letters.letters import Filter
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, born, ended, recorded, submission, working
from wire.states import State

DAY = timedelta(days=1)


async def finished(database: Database, *jobs: Submission, days: float = 2, state: str = "completed") -> None:
    """Done so many days ago."""
    session = await working(database)
    await accepted(database, *jobs)
    for job in jobs:
        await ask(database, session, job)
        await recorded(database, ended(job, 1))
    await database.fetch(
        "UPDATE jobs SET state = $1, created_at = created_at - $2::interval, finished_at = finished_at - $2::interval"
        " WHERE id = ANY($3)",
        state, DAY * days, [job.id for job in jobs],
    )  # fmt: skip


async def forget(
    database: Database, state: State = State.COMPLETED, born_before: datetime | None = None, limit: int = 100
) -> int:
    total, after = 0, retention.START
    while True:
        rule = Rule(state, DAY, born_before or await database.now())
        gone, place = await retention.forget_jobs(database, rule, after, limit)
        total += gone
        if place is None:
            return total
        after = place


async def left(database: Database, table: str = "jobs") -> set[UUID]:
    column = "job_id" if table == "attempts" else "id"
    return {row["id"] for row in await database.fetch(f"SELECT {column} AS id FROM {table}")}


async def test_what_finished_long_enough_ago_is_forgotten_with_its_attempts(database: Database) -> None:
    old, young = submission(), submission()
    await finished(database, old)
    await finished(database, young, days=0.5)

    assert 1 == await forget(database)
    assert ({young.id}, {young.id}, set()) == (
        await left(database), await left(database, "attempts"), await left(database, "tombstones"),
    )  # fmt: skip


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
async def test_each_state_has_its_own_time(database: Database, state: str) -> None:
    await finished(database, submission(), state=state)

    assert [0, 1] == [await forget(database), await forget(database, State(state))]


async def test_what_waits_or_runs_is_never_forgotten(database: Database) -> None:
    waiting, running = submission(), submission()
    await accepted(database, waiting, running)
    await ask(database, await working(database), running)
    await database.fetch("UPDATE jobs SET created_at = created_at - interval '1 year'")

    assert 0 == sum([await forget(database, state) for state in State if state not in ("queued", "running")])
    assert {waiting.id, running.id} == await left(database)


async def test_what_ran_for_long_or_was_scheduled_long_ahead_counts_from_its_end(database: Database) -> None:
    await finished(database, job := submission())
    await database.fetch("UPDATE jobs SET finished_at = now()")

    assert 0 == await forget(database)
    assert {job.id} == await left(database)


async def test_a_pass_goes_through_all_in_small_batches(database: Database) -> None:
    await finished(database, *[submission() for _ in range(25)])

    assert 25 == await forget(database, limit=10)


async def test_a_job_whose_ladder_copy_may_still_come_leaves_a_tombstone(database: Database) -> None:
    """Cancelled while it waited for its day in a month; it must not run then."""
    await finished(database, job := submission(), state="cancelled")
    await database.fetch("UPDATE jobs SET scheduled_for = now() + interval '30 days'")
    await forget(database, State.CANCELLED)
    await born(database, job)

    assert (set(), {job.id}) == (await left(database), await left(database, "tombstones"))
    assert Answer.GONE == (await ask(database, await working(database), job)).answer


async def test_a_job_whose_birth_may_still_be_queued_is_kept(database: Database) -> None:
    await finished(database, job := submission())
    births_seen_empty = await database.now() - 3 * DAY

    assert 0 == await forget(database, born_before=births_seen_empty)
    assert {job.id} == await left(database)


async def test_traces_that_have_had_their_day_are_forgotten_and_the_others_kept(database: Database) -> None:
    alive, ended_today, ended_before = [await working(database) for _ in range(3)]
    await database.fetch("UPDATE workers SET ended_at = now() WHERE session = $1", ended_today)
    await database.fetch("UPDATE workers SET ended_at = now() - interval '2 days' WHERE session = $1", ended_before)
    await database.fetch(
        "INSERT INTO tombstones VALUES ($1, now() - interval '1 s'), ($2, now() + interval '1 h')", alive, ended_today
    )
    await database.fetch(
        "INSERT INTO replies (reply_to, body, lost_at)"
        " VALUES ('a', '{}', now() - interval '15 days'), ('b', '{}', now()), ('c', '{}', NULL)"
    )
    hosts = (
        "INSERT INTO hosts (host, delay_seconds, concurrency, next_at, visited_at)"
        " VALUES ($1, 1, 1, now(), now() - $2::interval)"
    )
    for host, ago in (("http://a", 40 * DAY), ("http://b", 40 * DAY), ("http://c", DAY)):
        await database.fetch(hosts, host, ago)
    await database.fetch("INSERT INTO host_turns (host, job_id, lease, priority, in_place)"
                         " VALUES ('http://b', gen_random_uuid(), 1, 5, false)")  # fmt: skip
    forgotten = await retention.forget_traces(database, 100)

    gone = {
        "tombstones": 1,
        "workers": 1,
        "redrives": 0,
        "replies": 1,
        "batches": 0,
        "backfills": 0,
        "frontiers": 0,
        "hosts": 1,
        "receipts": 0,
        "counts": 0,
    }
    assert gone == forgotten
    assert {ended_today} == await left(database, "tombstones")
    assert {alive, ended_today} == {row["session"] for row in await database.fetch("SELECT session FROM workers")}


async def test_a_redrive_by_filter_is_forgotten_two_weeks_after_its_end(database: Database) -> None:
    open_for_long, ended_today, ended_before = [await redrive_runs.begin(database, Filter(), 10) for _ in range(3)]
    await database.fetch("UPDATE redrive_runs SET created_at = now() - interval '1 year'")
    await database.fetch("UPDATE redrive_runs SET finished_at = now() WHERE id = $1", ended_today.id)
    await database.fetch(
        "UPDATE redrive_runs SET finished_at = now() - interval '15 days' WHERE id = $1", ended_before.id
    )

    assert 1 == (await retention.forget_traces(database, 100))["redrives"]
    assert {open_for_long.id, ended_today.id} == await left(database, "redrive_runs")
