"""Which deliveries may run: the answer table, row by row, on a real Postgres."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistence.attempts.claim import Answer, claim
from persistence.crew import workers
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
    silent,
    steady,
    submission,
    working,
)
from wire.states import Outcome, State


async def test_a_waiting_job_that_is_due_is_claimed_with_the_next_lease(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)

    answer = await ask(database, session, job)

    assert (Answer.CLAIMED, 1, 1, 1) == (answer.answer, answer.lease, answer.run, answer.attempt)
    assert "running" == await field(database, job, "state")


async def test_a_foreign_message_without_a_row_is_born_and_claimed(database: Database) -> None:
    session, job = await working(database), submission()

    answer = await ask(database, session, job, run=None)

    assert (Answer.CLAIMED, 1) == (answer.answer, answer.run)
    assert job.body == await field(database, job, "body")


async def test_a_deleted_job_does_not_come_back_to_life(database: Database) -> None:
    """A tombstone answers for the row: the ladder copy of a deleted job arrives late, and so may its birth."""
    session, job = await working(database), submission()
    await database.fetch("INSERT INTO tombstones VALUES ($1, now() + interval '1 day')", job.id)

    assert Answer.GONE == (await ask(database, session, job, run=1)).answer
    assert Answer.GONE == (await ask(database, session, job, run=None)).answer
    assert await field(database, job, "id") is None


async def test_a_message_of_ours_that_no_row_knows_is_an_orphan(database: Database) -> None:
    session = await working(database)

    assert Answer.ORPHAN == (await ask(database, session, submission(), run=3)).answer


async def test_a_copy_of_an_older_run_is_stale(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await database.fetch("UPDATE jobs SET run = 3, state = 'retrying' WHERE id = $1", job.id)

    assert Answer.STALE == (await ask(database, session, job, run=2)).answer
    assert Answer.STALE == (await ask(database, session, job, run=None)).answer


async def test_a_message_ahead_of_its_row_is_adopted(database: Database) -> None:
    """Postgres was restored from an older copy: the message knows better, and to ack it would lose the job."""
    session, job = await working(database), submission()
    await accepted(database, job)

    answer = await ask(database, session, job, run=4)

    assert (Answer.CLAIMED, 4) == (answer.answer, answer.run)
    assert 4 == await field(database, job, "run")


async def test_another_body_under_the_same_id_is_refused(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    other = submission(job.id, body=b"{}", body_hash=b"other")

    assert Answer.ID_REUSED == (await ask(database, session, other, run=None)).answer


async def test_another_body_is_refused_whatever_has_become_of_the_job(database: Database) -> None:
    """To ack it as a copy of a finished or retried job would drop it in silence."""
    session, finished, retried, running = await working(database), submission(), submission(), submission()
    await accepted(database, finished, retried, running)
    await database.fetch("UPDATE jobs SET state = 'completed' WHERE id = $1", finished.id)
    await database.fetch("UPDATE jobs SET state = 'retrying', run = 3 WHERE id = $1", retried.id)
    await ask(database, await working(database), running)
    others = [submission(job.id, body=b"{}", body_hash=b"other") for job in (finished, retried, running)]

    answers = await claim(database, session, [delivered(other, run=None) for other in others], LEASE_SECONDS)

    assert [Answer.ID_REUSED] * 3 == [answers[other.id].answer for other in others]


async def test_a_job_that_is_not_due_is_parked_by_an_outbox_row(database: Database) -> None:
    session, job = await working(database), submission(starts_in=timedelta(hours=1))
    await accepted(database, job)

    answer = await ask(database, session, job)

    assert (Answer.PARKED, 2) == (answer.answer, answer.run)
    assert timedelta(minutes=59) < answer.wait <= timedelta(hours=1)
    rows = await database.fetch("SELECT run FROM outbox WHERE seq = $1", answer.post_seq)
    assert [2] == [row["run"] for row in rows]
    assert ("scheduled", 0) == (await field(database, job, "state"), await field(database, job, "attempt"))
    assert Answer.STALE == (await ask(database, session, job, run=1)).answer


async def test_finished_jobs_are_answered_from_the_row(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    await recorded(database, ended(job, 1))

    assert Answer.FINISHED == (await ask(database, session, job)).answer
    assert "completed" == await field(database, job, "state")


async def test_a_cancelled_or_expired_job_ends_at_the_claim(database: Database) -> None:
    session, cancelled, late = await working(database), submission(), submission()
    await accepted(database, cancelled, late)
    await database.fetch("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", cancelled.id)
    await database.fetch("UPDATE jobs SET expires_at = now() - interval '1 s' WHERE id = $1", late.id)

    answers = [await ask(database, session, cancelled), await ask(database, session, late)]

    assert [Answer.ENDED, Answer.ENDED] == [answer.answer for answer in answers]
    assert "cancelled" == await field(database, cancelled, "state")
    assert "expired" == await field(database, late, "state")


async def test_a_job_whose_holder_lives_is_left_to_it(database: Database) -> None:
    """`redelivered` says nothing: after a broker restart every message carries it."""
    holder, other, job = await working(database), await working(database), submission()
    await accepted(database, job)
    await ask(database, holder, job)

    assert Answer.HELD == (await ask(database, other, job)).answer
    assert 1 == await field(database, job, "lease")


async def test_a_job_whose_holder_ended_is_taken_over_at_once(database: Database) -> None:
    holder, other, job = await working(database), await working(database), submission()
    await accepted(database, job)
    await ask(database, holder, job)
    await workers.end(database, holder)

    answer = await ask(database, other, job)

    assert (Answer.CLAIMED, 2, 1, 1) == (answer.answer, answer.lease, answer.attempt, answer.crashes)
    rows = await database.fetch("SELECT lease, outcome, worker FROM attempts WHERE job_id = $1", job.id)
    assert [(1, "crashed", "w:1")] == [(row["lease"], row["outcome"], row["worker"]) for row in rows]


async def test_a_holder_that_is_silent_for_longer_than_a_lease_counts_as_dead(database: Database) -> None:
    holder, other, job = await working(database), await working(database), submission()
    await accepted(database, job)
    await ask(database, holder, job)
    await steady(database, other)
    await silent(database, holder, LEASE_SECONDS + 1)

    assert Answer.CLAIMED == (await ask(database, other, job)).answer
    assert 1 == await field(database, job, "crashes")


async def test_who_has_not_beaten_for_a_lease_himself_declares_nobody_dead(database: Database) -> None:
    """After an outage of Postgres all have been silent; the first to be back must not take over from all others."""
    holder, other, job = await working(database), await working(database), submission()
    await accepted(database, job)
    await ask(database, holder, job)
    await silent(database, holder, 60)

    answer = await ask(database, other, job)

    assert (Answer.HELD, True) == (answer.answer, answer.silent > timedelta(seconds=59))


async def test_a_first_start_by_a_message_of_ours_tells_when_its_job_came_due(database: Database) -> None:
    session, ours, foreign, retried = await working(database), submission(), submission(), submission()
    await accepted(database, ours, retried)
    await ask(database, session, retried)
    await recorded(
        database, ended(retried, 1, Outcome.RETRY, state=State.RETRYING, again_after=timedelta(0), error_message="x")
    )

    answers = [
        await ask(database, session, ours),
        await ask(database, session, foreign, run=None),
        await ask(database, session, retried, run=2),
    ]

    assert [True, False, False] == [answer.first for answer in answers]
    assert await field(database, ours, "created_at") == answers[0].due_at


async def test_a_take_over_of_a_cancelled_job_cancels_it(database: Database) -> None:
    holder, other, job = await working(database), await working(database), submission()
    await accepted(database, job)
    await ask(database, holder, job)
    await database.fetch("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", job.id)
    await workers.end(database, holder)

    assert Answer.FINISHED == (await ask(database, other, job)).answer
    assert "cancelled" == await field(database, job, "state")


async def test_a_claim_whose_answer_was_lost_is_claimed_again_and_no_crash_is_charged(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)

    answer = await ask(database, session, job)

    assert (Answer.CLAIMED, 2, 1, 0) == (answer.answer, answer.lease, answer.attempt, answer.crashes)


async def test_every_delivery_of_a_batch_gets_an_answer(database: Database) -> None:
    session = await working(database)
    known, unknown, foreign = submission(), submission(), submission()
    await accepted(database, known)
    batch = [delivered(known), delivered(unknown, run=7), delivered(foreign, run=None)]

    answers = await claim(database, session, batch, LEASE_SECONDS)

    expected = {known.id: Answer.CLAIMED, unknown.id: Answer.ORPHAN, foreign.id: Answer.CLAIMED}
    assert expected == {identity: answer.answer for identity, answer in answers.items()}


async def test_a_claim_that_races_the_recorders_birth_is_answered(database: Database) -> None:
    """
    Birth and work copy are delivered at the same instant.  One combined statement came back empty while the other
    insert committed, and the job was lost; insert first, lock second.
    """
    session = await working(database)
    for _ in range(25):
        jobs = [submission() for _ in range(20)]
        answers, _ = await asyncio.gather(
            claim(database, session, [delivered(job, run=None) for job in jobs], LEASE_SECONDS),
            born(database, *jobs),
        )

        assert {job.id: Answer.CLAIMED for job in jobs} == {i: answer.answer for i, answer in answers.items()}


async def test_batches_in_any_order_do_not_deadlock(database: Database) -> None:
    """Rows are locked in the order of their ids, whatever the order of the batch: 16 of 20 deadlocked without."""
    one, other = await working(database), await working(database)
    jobs = [submission() for _ in range(200)]
    await accepted(database, *jobs)
    for _ in range(10):
        forward = [delivered(job) for job in jobs]
        await asyncio.gather(
            claim(database, one, forward, LEASE_SECONDS),
            claim(database, other, forward[::-1], LEASE_SECONDS),
            database.fetch("UPDATE workers SET free_slots = 1"),
        )
        await database.fetch("UPDATE jobs SET state = 'queued', holder = NULL")

    assert 200 == (await database.fetch("SELECT count(*) AS n FROM jobs WHERE state = 'queued'"))[0]["n"]


async def test_a_snoozed_or_interrupted_attempt_is_given_back(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    snooze = ended(
        job, 1, Outcome.SNOOZED, state=State.RETRYING, again_after=timedelta(0), counted=False, error_message="later"
    )

    made = await recorded(database, snooze)
    again = await ask(database, session, job, run=2)

    assert (True, 2) == (made.current, made.next_run)
    assert (Answer.CLAIMED, 2, 1) == (again.answer, again.lease, again.attempt)
