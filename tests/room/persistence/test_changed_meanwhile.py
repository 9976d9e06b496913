"""A row that somebody changes after a claim, a record or a delete has looked at it and before it has the lock.

The short statements wait for such a row and ask it once more; what they leave is judged as it is by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar
from uuid import UUID

from persistence.accepting import outbox
from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer, claim
from persistence.attempts.record import record
from persistence.store.database import Database
from tests.eventually import eventually
from tests.room.persistence.rows import (
    LEASE_SECONDS,
    accepted,
    ask,
    delivered,
    ended,
    field,
    submission,
    working,
)
from wire.states import State

T = TypeVar("T")
CANCEL = "UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp() WHERE id = $1"
SEND_AGAIN = "UPDATE jobs SET run = run + 1 WHERE id = $1"
TAKE_OVER = "UPDATE jobs SET lease = lease + 1, holder = gen_random_uuid() WHERE id = $1"
ASK_TO_CANCEL = "UPDATE jobs SET cancel_requested_at = clock_timestamp() WHERE id = $1"
NOTE = "UPDATE jobs SET note = 'halfway' WHERE id = $1"
LEASE = "UPDATE outbox SET tries = tries + 1, publish_after = now() + interval '1 h' WHERE job_id = $1"
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_a_job_that_is_cancelled_meanwhile_is_not_started_and_its_neighbour_is(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(3)]
    await accepted(database, *jobs)
    asked = claim(database, session, [delivered(job) for job in jobs], LEASE_SECONDS)

    answers = await _meanwhile(database, CANCEL, jobs[1].id, asked)

    assert [Answer.CLAIMED, Answer.FINISHED, Answer.CLAIMED] == [answers[job.id].answer for job in jobs]
    assert ["running", "cancelled", "running"] == [await field(database, job, "state") for job in jobs]


async def test_a_job_that_is_changed_meanwhile_and_still_waits_is_started_once(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(3)]
    await accepted(database, *jobs)
    asked = claim(database, session, [delivered(job) for job in jobs], LEASE_SECONDS)

    answers = await _meanwhile(database, NOTE, jobs[1].id, asked)

    assert [(Answer.CLAIMED, 1, 1)] * 3 == [(a.answer, a.lease, a.attempt) for a in map(answers.get, _ids(jobs)) if a]


async def test_a_job_that_is_sent_again_meanwhile_is_not_started_by_its_older_message(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(3)]
    await accepted(database, *jobs)
    asked = claim(database, session, [delivered(job) for job in jobs], LEASE_SECONDS)

    answers = await _meanwhile(database, SEND_AGAIN, jobs[1].id, asked)

    assert [Answer.CLAIMED, Answer.STALE, Answer.CLAIMED] == [answers[job.id].answer for job in jobs]
    assert ["running", "queued", "running"] == [await field(database, job, "state") for job in jobs]


async def test_a_waiting_job_that_somebody_wants_cancelled_meanwhile_is_ended(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(3)]
    await accepted(database, *jobs)
    asked = claim(database, session, [delivered(job) for job in jobs], LEASE_SECONDS)

    answers = await _meanwhile(database, ASK_TO_CANCEL, jobs[1].id, asked)

    assert [Answer.CLAIMED, Answer.ENDED, Answer.CLAIMED] == [answers[job.id].answer for job in jobs]
    assert ["running", "cancelled", "running"] == [await field(database, job, "state") for job in jobs]


async def test_a_lease_that_is_taken_over_meanwhile_may_not_write_the_outcome(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(3)]
    await accepted(database, *jobs)
    for job in jobs:
        await ask(database, session, job)
    changed = record(database, [ended(job, 1, result='"good"') for job in jobs], session)

    made, _ = await _meanwhile(database, TAKE_OVER, jobs[1].id, changed)

    assert [True, False, True] == [made[job.id].current for job in jobs]
    assert ["completed", "running", "completed"] == [await field(database, job, "state") for job in jobs]
    rows = await database.fetch("SELECT outcome FROM attempts WHERE job_id = $1", jobs[1].id)
    assert ["superseded"] == [row["outcome"] for row in rows]


async def test_an_outcome_is_recorded_once_though_its_row_changed_meanwhile(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(3)]
    await accepted(database, *jobs)
    for job in jobs:
        await ask(database, session, job)
    changed = record(database, [ended(job, 1, result='"good"') for job in jobs], session)

    made, _ = await _meanwhile(database, NOTE, jobs[1].id, changed)

    assert {(True, State.COMPLETED)} == {(one.current, one.state) for one in made.values()}
    assert ["completed"] * 3 == [await field(database, job, "state") for job in jobs]
    rows = await database.fetch("SELECT job_id, outcome FROM attempts ORDER BY job_id")
    assert [(job_id, "completed") for job_id in sorted(_ids(jobs))] == [tuple(row.values()) for row in rows]


async def test_a_confirmed_row_that_the_sweep_leases_meanwhile_is_deleted(database: Database) -> None:
    """
    Or its message would go out again.
    """
    jobs = [submission() for _ in range(3)]
    await accepted(database, *jobs)
    rows = await database.fetch("SELECT seq FROM outbox ORDER BY seq")

    await _meanwhile(database, LEASE, jobs[1].id, outbox.delete(database, [row["seq"] for row in rows]))

    assert len(jobs) == len(rows)
    assert [] == await database.fetch("SELECT seq FROM outbox")


async def _meanwhile(database: Database, change: str, job_id: object, act: Coroutine[object, object, T]) -> T:
    """Commit the change once whoever acts waits for it."""
    async with database.transaction() as transaction:
        await transaction.execute(change, job_id)
        acting = asyncio.create_task(act)
        await eventually(lambda: database.fetch(WAITING))
    return await acting


def _ids(jobs: list[Submission]) -> list[UUID]:
    return [job.id for job in jobs]
