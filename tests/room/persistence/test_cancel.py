"""Cancel: in every state, and against whoever comes at the same moment."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from persistence.accepting import outbox
from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer, claim
from persistence.crew import workers
from persistence.ending.cancel import Answer as Found
from persistence.ending.cancel import Word, again, cancel, delete
from persistence.store.database import Database
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
from tests.room.persistence.states import RETRY, in_state
from wire.states import State


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
async def test_what_waits_is_cancelled_here_and_now(database: Database, state: State) -> None:
    job, _ = await in_state(database, state)

    assert Found(Word.CANCELLED, state, lease=int(state is State.RETRYING)) == await cancel(database, job.id)
    assert "cancelled" == await field(database, job, "state")
    assert await field(database, job, "finished_at")


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
async def test_the_message_of_a_cancelled_job_starts_nothing(database: Database, state: State) -> None:
    """Its ladder copy arrives days later, with every worker restarted since."""
    job, session = await in_state(database, state)
    run = await field(database, job, "run")
    assert isinstance(run, int)
    await cancel(database, job.id)
    await database.fetch("UPDATE jobs SET scheduled_for = now(), next_attempt_at = now() WHERE id = $1", job.id)

    assert Answer.FINISHED == (await ask(database, session, job, run)).answer
    assert "cancelled" == await field(database, job, "state")


async def test_a_birth_that_is_recorded_late_does_not_reopen_it(database: Database) -> None:
    job, session = await in_state(database, State.CANCELLED)
    await born(database, job)

    assert Answer.FINISHED == (await ask(database, session, job, run=None)).answer
    assert "cancelled" == await field(database, job, "state")


async def test_the_outbox_has_no_message_for_it_any_more(database: Database) -> None:
    await in_state(database, State.CANCELLED)
    await database.fetch("UPDATE outbox SET publish_after = now()")
    posts, needless = await outbox.lease(database, 10, 10.0)

    assert ([], 1) == (posts, len(needless))


async def test_what_runs_is_asked(database: Database) -> None:
    job, session = await in_state(database, State.RUNNING)

    assert Found(Word.ASKED, State.RUNNING, lease=1) == await cancel(database, job.id)
    assert ("running", None) == (await field(database, job, "state"), await field(database, job, "finished_at"))
    orders = await workers.beat(database, session, workers.Pulse(1, True, None), [workers.Held(job.id, 1)])
    assert {job.id} == orders.cancel


async def test_a_retry_that_would_follow_becomes_cancelled(database: Database) -> None:
    job, _ = await in_state(database, State.RUNNING)
    await cancel(database, job.id)
    await recorded(database, ended(job, 1, **RETRY))

    assert ("cancelled", 1) == (await field(database, job, "state"), await field(database, job, "run"))
    assert await field(database, job, "finished_at")


async def test_what_completes_all_the_same_has_completed(database: Database) -> None:
    job, _ = await in_state(database, State.RUNNING)
    await cancel(database, job.id)
    await recorded(database, ended(job, 1))

    assert "completed" == await field(database, job, "state")
    assert Found(Word.FINISHED, State.COMPLETED, lease=1) == await cancel(database, job.id)


async def test_a_job_whose_worker_dies_after_the_request_is_cancelled(database: Database) -> None:
    job, session = await in_state(database, State.RUNNING)
    await cancel(database, job.id)
    await workers.end(database, session)
    other = await working(database)

    assert Answer.FINISHED == (await ask(database, other, job)).answer
    assert "cancelled" == await field(database, job, "state")


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.EXPIRED])
async def test_what_has_finished_otherwise_stays_as_it_is(database: Database, state: State) -> None:
    job, _ = await in_state(database, state)
    before = await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)
    answer = await cancel(database, job.id)

    assert (Word.FINISHED, state) == (answer.word, answer.state)
    assert before == await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)


async def test_a_second_request_changes_nothing(database: Database) -> None:
    job, _ = await in_state(database, State.QUEUED)
    await cancel(database, job.id)
    before = await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)

    assert Word.CANCELLED == (await cancel(database, job.id)).word
    assert before == await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)


async def test_nobody_s_job_is_unknown(database: Database) -> None:
    for change in (cancel, delete, again):
        assert Found(Word.UNKNOWN) == await change(database, uuid4())


async def test_against_a_claim_it_ends_cancelled_or_completed_and_never_both(database: Database) -> None:
    """Two hundred jobs, each claimed and cancelled at once: whoever is second sees what the first has done."""
    session, jobs = await working(database), [submission() for _ in range(200)]
    await accepted(database, *jobs)

    async def claims(some: list[Submission]) -> dict[UUID, Answer]:
        answers = await claim(database, session, [delivered(job) for job in some], LEASE_SECONDS)
        return {job_id: answer.answer for job_id, answer in answers.items()}

    async def race(some: list[Submission]) -> list[tuple[Submission, Answer, Word]]:
        claimed, *cancelled = await asyncio.gather(claims(some), *[cancel(database, job.id) for job in some])
        return [(job, claimed[job.id], found.word) for job, found in zip(some, cancelled, strict=True)]

    seen = [pair for start in range(0, 200, 10) for pair in await race(jobs[start : start + 10])]
    for job, answer, _ in seen:
        if answer is Answer.CLAIMED:
            await recorded(database, ended(job, 1, **(RETRY if job.id.int % 2 else {})))

    pairs = {(answer, word) for _, answer, word in seen}
    assert pairs <= {(Answer.CLAIMED, Word.ASKED), (Answer.FINISHED, Word.CANCELLED)}
    rows = await database.fetch("SELECT state, count(*) AS n FROM jobs GROUP BY 1")
    states = {row["state"]: row["n"] for row in rows}
    assert {"cancelled", "completed"} >= states.keys()
    assert 200 == sum(states.values())


async def test_against_a_record_it_ends_as_one_of_them_says(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(50)]
    await accepted(database, *jobs)
    await claim(database, session, [delivered(job) for job in jobs], LEASE_SECONDS)
    done = asyncio.gather(*[recorded(database, ended(job, 1, **RETRY)) for job in jobs])
    words = [found.word for found in await asyncio.gather(*[cancel(database, job.id) for job in jobs])]
    await done

    assert {Word.ASKED, Word.CANCELLED} >= set(words)
    assert ["cancelled"] * 50 == [await field(database, job, "state") for job in jobs]
