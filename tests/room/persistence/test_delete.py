"""Delete: what is gone stays gone, whoever comes at the same moment or long after."""

from __future__ import annotations

import asyncio

import pytest

from persistence.accepting.births import bear
from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer, claim
from persistence.crew import workers
from persistence.ending.cancel import Answer as Found
from persistence.ending.cancel import Word, cancel, cancel_or_delete, delete
from persistence.store.database import Database
from tests.eventually import eventually
from tests.room.persistence.rows import (
    LEASE_SECONDS,
    accepted,
    ask,
    born,
    delivered,
    ended,
    field,
    recorded,
    submission,
    working,
)
from tests.room.persistence.states import FINISHED, in_state, waits_for_a_lock
from wire.states import State


@pytest.mark.parametrize("state", FINISHED)
async def test_what_has_finished_is_gone_with_its_attempts(database: Database, state: State) -> None:
    job, _ = await in_state(database, state)

    assert (Word.DELETED, state) == ((answer := await delete(database, job.id)).word, answer.state)
    assert await field(database, job, "id") is None
    assert [] == list(await database.fetch("SELECT 1 FROM attempts WHERE job_id = $1", job.id))
    assert Found(Word.UNKNOWN) == await delete(database, job.id)


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING, State.RUNNING])
async def test_what_lives_is_refused(database: Database, state: State) -> None:
    job, _ = await in_state(database, state)

    assert Word.REFUSED == (await delete(database, job.id)).word
    assert state == await field(database, job, "state")


async def test_nothing_brings_it_back_to_life(database: Database) -> None:
    """Its birth is recorded late, its ladder copy arrives late, the same message is sent once more."""
    job, session = await in_state(database, State.SCHEDULED)
    await cancel(database, job.id)
    await delete(database, job.id)
    await born(database, job)
    await accepted(database, job)

    assert Answer.GONE == (await ask(database, session, job, run=1)).answer
    assert Answer.GONE == (await ask(database, session, job, run=None)).answer
    assert await field(database, job, "id") is None


async def test_its_tombstone_outlasts_a_trip_through_the_ladder(database: Database) -> None:
    job, _ = await in_state(database, State.CANCELLED)
    await delete(database, job.id)
    (row,) = await database.fetch("SELECT until > now() + interval '40 days' AS long FROM tombstones")

    assert row["long"]


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
async def test_what_waits_is_purged_at_once(database: Database, state: State) -> None:
    job, session = await in_state(database, state)
    run = await field(database, job, "run")
    assert isinstance(run, int)

    assert Word.DELETED == (await delete(database, job.id, purge=True)).word
    assert Answer.GONE == (await ask(database, session, job, run)).answer


async def test_what_runs_is_purged_and_its_outcome_goes_nowhere(database: Database) -> None:
    job, session = await in_state(database, State.RUNNING)
    answer = await delete(database, job.id, purge=True)
    orders = await workers.beat(database, session, workers.Pulse(1, True, None), [workers.Held(job.id, 1)])
    late = await recorded(database, ended(job, 1))

    assert (Word.DELETED, True, 1) == (answer.word, answer.was_running, answer.lease)
    assert {job.id} == orders.lost
    assert not late.current
    assert [] == list(await database.fetch("SELECT 1 FROM jobs UNION ALL SELECT 1 FROM attempts"))


async def test_a_birth_that_waited_for_the_delete_does_not_undo_it(database: Database) -> None:
    """
    The insert waits for the row that is being deleted, and goes ahead when that commits; the tombstone was not
    there when it began.
    """
    job, _ = await in_state(database, State.COMPLETED)
    async with database.transaction() as deleting:
        await deleting.execute("DELETE FROM jobs WHERE id = $1", job.id)
        await deleting.execute("INSERT INTO tombstones VALUES ($1, now() + interval '1 day')", job.id)
        birth = asyncio.create_task(born(database, job))
        await eventually(lambda: waits_for_a_lock(database))
    await birth

    assert await field(database, job, "id") is None


async def test_a_birth_beside_a_stranger_s_tombstone_leaves_accepted_jobs_alone(database: Database) -> None:
    """A job may be accepted under a deleted id by a hair's breadth; a late birth must not delete it."""
    job, other = submission(), submission()
    await accepted(database, job)
    await database.fetch("INSERT INTO tombstones VALUES ($1, now() + interval '1 day')", job.id)
    async with database.transaction() as transaction:
        await bear(transaction, [job, other])

    assert [job.id, other.id] == [await field(database, one, "id") for one in (job, other)]


async def test_an_attempt_that_is_recorded_meanwhile_goes_too(database: Database) -> None:
    job, _ = await in_state(database, State.RUNNING)
    async with database.transaction() as recording:
        await recording.execute("UPDATE jobs SET state = 'completed' WHERE id = $1", job.id)
        deleted = asyncio.create_task(delete(database, job.id))
        await eventually(lambda: waits_for_a_lock(database))
        await recording.execute(
            "INSERT INTO attempts (job_id, lease, run, attempt, outcome, worker, started_at, finished_at) "
            "VALUES ($1, 1, 1, 1, 'completed', 'w', now(), now())",
            job.id,
        )

    assert Word.DELETED == (await deleted).word
    assert [] == list(await database.fetch("SELECT 1 FROM attempts"))


async def test_delete_cancels_what_lives_and_deletes_it_the_second_time(database: Database) -> None:
    job, _ = await in_state(database, State.QUEUED)
    words = [(await cancel_or_delete(database, job.id, purge=False)).word for _ in range(3)]

    assert [Word.CANCELLED, Word.DELETED, Word.UNKNOWN] == words


async def test_what_ends_between_the_two_looks_is_deleted(database: Database) -> None:
    """Fifty deletes against fifty records: a job is asked to end, or it has ended and is gone."""
    session, jobs = await working(database), [submission() for _ in range(50)]
    await accepted(database, *jobs)
    await claim(database, session, [delivered(job) for job in jobs], LEASE_SECONDS)

    async def race(job: Submission) -> Found:
        first, second = recorded(database, ended(job, 1)), cancel_or_delete(database, job.id, purge=False)
        if job.id.int % 2:
            return (await asyncio.gather(first, second))[1]
        return (await asyncio.gather(second, first))[0]

    found = await asyncio.gather(*map(race, jobs))
    left = {row["id"] for row in await database.fetch("SELECT id FROM jobs")}

    assert {job.id for job, f in zip(jobs, found, strict=True) if f.word is Word.ASKED} == left
    assert {Word.ASKED, Word.DELETED} >= {f.word for f in found}
