"""Cancel, delete and try again: in every state, and against whoever comes at the same moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from persistence import job_types, outbox, workers
from persistence.births import bear
from persistence.cancel import Answer as Found
from persistence.cancel import Word, again, cancel, cancel_or_delete, delete
from persistence.claim import Answer, Delivered, claim
from persistence.database import Database
from persistence.submission import Submission
from tests.eventually import eventually
from tests.room.persistence.rows import (
    ECHO,
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
from wire.states import Outcome, Reason, State

FINISHED = [State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED]
RETRY = {"outcome": Outcome.RETRY, "state": State.RETRYING, "again_after": timedelta(seconds=5)}


async def in_state(database: Database, state: str) -> tuple[Submission, UUID]:
    """A job in that state, and the session of the worker that ran it, if one did."""
    session, job = await working(database), submission()
    if state == State.SCHEDULED:
        job = submission(starts_in=timedelta(hours=1))
    await accepted(database, job)
    if state in (State.RUNNING, State.RETRYING, State.COMPLETED, State.FAILED):
        await ask(database, session, job)
    if state == State.RETRYING:
        await recorded(database, ended(job, 1, **RETRY))
    elif state == State.COMPLETED:
        await recorded(database, ended(job, 1))
    elif state == State.FAILED:
        await recorded(database, ended(job, 1, Outcome.FAILED, state=State.FAILED, reason=Reason.PERMANENT))
    elif state == State.CANCELLED:
        await cancel(database, job.id)
    elif state == State.EXPIRED:
        await database.fetch("UPDATE jobs SET expires_at = now() WHERE id = $1", job.id)
        await ask(database, session, job)
    assert state == await field(database, job, "state")
    return job, session


class TestCancel:
    @pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
    async def test_what_waits_is_cancelled_here_and_now(self, database: Database, state: State) -> None:
        job, _ = await in_state(database, state)

        assert Found(Word.CANCELLED, state, lease=int(state is State.RETRYING)) == await cancel(database, job.id)
        assert "cancelled" == await field(database, job, "state")
        assert await field(database, job, "finished_at")

    @pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
    async def test_the_message_of_a_cancelled_job_starts_nothing(self, database: Database, state: State) -> None:
        """Its ladder copy arrives days later, with every worker restarted since."""
        job, session = await in_state(database, state)
        run = await field(database, job, "run")
        assert isinstance(run, int)
        await cancel(database, job.id)
        await database.fetch("UPDATE jobs SET scheduled_for = now(), next_attempt_at = now() WHERE id = $1", job.id)

        assert Answer.FINISHED == (await ask(database, session, job, run)).answer
        assert "cancelled" == await field(database, job, "state")

    async def test_a_birth_that_is_recorded_late_does_not_reopen_it(self, database: Database) -> None:
        job, session = await in_state(database, State.CANCELLED)
        await born(database, job)

        assert Answer.FINISHED == (await ask(database, session, job, run=None)).answer
        assert "cancelled" == await field(database, job, "state")

    async def test_the_outbox_has_no_message_for_it_any_more(self, database: Database) -> None:
        await in_state(database, State.CANCELLED)
        await database.fetch("UPDATE outbox SET publish_after = now()")
        posts, needless = await outbox.lease(database, 10, 10.0)

        assert ([], 1) == (posts, len(needless))

    async def test_what_runs_is_asked(self, database: Database) -> None:
        job, session = await in_state(database, State.RUNNING)

        assert Found(Word.ASKED, State.RUNNING, lease=1) == await cancel(database, job.id)
        assert ("running", None) == (await field(database, job, "state"), await field(database, job, "finished_at"))
        orders = await workers.beat(database, session, workers.Pulse(1, True, None), [workers.Held(job.id, 1)])
        assert {job.id} == orders.cancel

    async def test_a_retry_that_would_follow_becomes_cancelled(self, database: Database) -> None:
        job, _ = await in_state(database, State.RUNNING)
        await cancel(database, job.id)
        await recorded(database, ended(job, 1, **RETRY))

        assert ("cancelled", 1) == (await field(database, job, "state"), await field(database, job, "run"))
        assert await field(database, job, "finished_at")

    async def test_what_completes_all_the_same_has_completed(self, database: Database) -> None:
        job, _ = await in_state(database, State.RUNNING)
        await cancel(database, job.id)
        await recorded(database, ended(job, 1))

        assert "completed" == await field(database, job, "state")
        assert Found(Word.FINISHED, State.COMPLETED, lease=1) == await cancel(database, job.id)

    async def test_a_job_whose_worker_dies_after_the_request_is_cancelled(self, database: Database) -> None:
        job, session = await in_state(database, State.RUNNING)
        await cancel(database, job.id)
        await workers.end(database, session)
        other = await working(database)

        assert Answer.FINISHED == (await ask(database, other, job)).answer
        assert "cancelled" == await field(database, job, "state")

    @pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.EXPIRED])
    async def test_what_has_finished_otherwise_stays_as_it_is(self, database: Database, state: State) -> None:
        job, _ = await in_state(database, state)
        before = await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)
        answer = await cancel(database, job.id)

        assert (Word.FINISHED, state) == (answer.word, answer.state)
        assert before == await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)

    async def test_a_second_request_changes_nothing(self, database: Database) -> None:
        job, _ = await in_state(database, State.QUEUED)
        await cancel(database, job.id)
        before = await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)

        assert Word.CANCELLED == (await cancel(database, job.id)).word
        assert before == await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)

    async def test_nobody_s_job_is_unknown(self, database: Database) -> None:
        for change in (cancel, delete, again):
            assert Found(Word.UNKNOWN) == await change(database, uuid4())

    async def test_against_a_claim_it_ends_cancelled_or_completed_and_never_both(self, database: Database) -> None:
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

    async def test_against_a_record_it_ends_as_one_of_them_says(self, database: Database) -> None:
        session, jobs = await working(database), [submission() for _ in range(50)]
        await accepted(database, *jobs)
        await claim(database, session, [delivered(job) for job in jobs], LEASE_SECONDS)
        done = asyncio.gather(*[recorded(database, ended(job, 1, **RETRY)) for job in jobs])
        words = [found.word for found in await asyncio.gather(*[cancel(database, job.id) for job in jobs])]
        await done

        assert {Word.ASKED, Word.CANCELLED} >= set(words)
        assert ["cancelled"] * 50 == [await field(database, job, "state") for job in jobs]


class TestDelete:
    @pytest.mark.parametrize("state", FINISHED)
    async def test_what_has_finished_is_gone_with_its_attempts(self, database: Database, state: State) -> None:
        job, _ = await in_state(database, state)

        assert (Word.DELETED, state) == ((answer := await delete(database, job.id)).word, answer.state)
        assert await field(database, job, "id") is None
        assert [] == list(await database.fetch("SELECT 1 FROM attempts WHERE job_id = $1", job.id))
        assert Found(Word.UNKNOWN) == await delete(database, job.id)

    @pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING, State.RUNNING])
    async def test_what_lives_is_refused(self, database: Database, state: State) -> None:
        job, _ = await in_state(database, state)

        assert Word.REFUSED == (await delete(database, job.id)).word
        assert state == await field(database, job, "state")

    async def test_nothing_brings_it_back_to_life(self, database: Database) -> None:
        """Its birth is recorded late, its ladder copy arrives late, the same message is sent once more."""
        job, session = await in_state(database, State.SCHEDULED)
        await cancel(database, job.id)
        await delete(database, job.id)
        await born(database, job)
        await accepted(database, job)

        assert Answer.GONE == (await ask(database, session, job, run=1)).answer
        assert Answer.GONE == (await ask(database, session, job, run=None)).answer
        assert await field(database, job, "id") is None

    async def test_its_tombstone_outlasts_a_trip_through_the_ladder(self, database: Database) -> None:
        job, _ = await in_state(database, State.CANCELLED)
        await delete(database, job.id)
        (row,) = await database.fetch("SELECT until > now() + interval '40 days' AS long FROM tombstones")

        assert row["long"]

    @pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
    async def test_what_waits_is_purged_at_once(self, database: Database, state: State) -> None:
        job, session = await in_state(database, state)
        run = await field(database, job, "run")
        assert isinstance(run, int)

        assert Word.DELETED == (await delete(database, job.id, purge=True)).word
        assert Answer.GONE == (await ask(database, session, job, run)).answer

    async def test_what_runs_is_purged_and_its_outcome_goes_nowhere(self, database: Database) -> None:
        job, session = await in_state(database, State.RUNNING)
        answer = await delete(database, job.id, purge=True)
        orders = await workers.beat(database, session, workers.Pulse(1, True, None), [workers.Held(job.id, 1)])
        late = await recorded(database, ended(job, 1))

        assert (Word.DELETED, True, 1) == (answer.word, answer.was_running, answer.lease)
        assert {job.id} == orders.lost
        assert not late.current
        assert [] == list(await database.fetch("SELECT 1 FROM jobs UNION ALL SELECT 1 FROM attempts"))

    async def test_a_birth_that_waited_for_the_delete_does_not_undo_it(self, database: Database) -> None:
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

    async def test_a_birth_beside_a_stranger_s_tombstone_leaves_accepted_jobs_alone(self, database: Database) -> None:
        """A job may be accepted under a deleted id by a hair's breadth; a late birth must not delete it."""
        job, other = submission(), submission()
        await accepted(database, job)
        await database.fetch("INSERT INTO tombstones VALUES ($1, now() + interval '1 day')", job.id)
        async with database.transaction() as transaction:
            await bear(transaction, [job, other])

        assert [job.id, other.id] == [await field(database, one, "id") for one in (job, other)]

    async def test_an_attempt_that_is_recorded_meanwhile_goes_too(self, database: Database) -> None:
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

    async def test_delete_cancels_what_lives_and_deletes_it_the_second_time(self, database: Database) -> None:
        job, _ = await in_state(database, State.QUEUED)
        words = [(await cancel_or_delete(database, job.id, purge=False)).word for _ in range(3)]

        assert [Word.CANCELLED, Word.DELETED, Word.UNKNOWN] == words

    async def test_what_ends_between_the_two_looks_is_deleted(self, database: Database) -> None:
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


class TestAgain:
    @pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.EXPIRED])
    async def test_it_waits_again_with_its_budget_renewed(self, database: Database, state: State) -> None:
        job, session = await in_state(database, state)
        await database.fetch("UPDATE jobs SET convictions = 3, crashes = 3, attempt = 4 WHERE id = $1", job.id)
        lease = await field(database, job, "lease")
        assert isinstance(lease, int)
        answer = await again(database, job.id)

        assert (Word.SENT, state) == (answer.word, answer.state)
        assert answer.post
        assert (job.id, 2, job.body, timedelta(0)) == (
            answer.post.job_id, answer.post.run, answer.post.body, answer.post.wait,
        )  # fmt: skip
        for name in ("reason", "finished_at", "error_type", "cancel_requested_at", "result", "expires_at", "holder"):
            assert await field(database, job, name) is None
        started = await ask(database, session, job, run=2)
        assert (Answer.CLAIMED, lease + 1, 1, 0) == (started.answer, started.lease, started.attempt, started.crashes)
        assert 0 == await field(database, job, "convictions")

    @pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING, State.RUNNING, State.COMPLETED])
    async def test_other_states_are_refused(self, database: Database, state: State) -> None:
        job, _ = await in_state(database, state)
        before = await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)

        assert Found(Word.REFUSED, state) == await again(database, job.id)
        assert before == await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)

    async def test_its_earlier_attempts_stay(self, database: Database) -> None:
        job, session = await in_state(database, State.FAILED)
        await again(database, job.id)
        await ask(database, session, job, run=2)
        await recorded(database, ended(job, 2, run=2))
        rows = await database.fetch("SELECT lease, outcome FROM attempts ORDER BY lease")

        assert [(1, "failed"), (2, "completed")] == [(row["lease"], row["outcome"]) for row in rows]

    async def test_a_late_copy_of_its_old_message_is_stale(self, database: Database) -> None:
        """A scheduled job is cancelled and sent again by hand; its ladder copy comes an hour later."""
        job, session = await in_state(database, State.SCHEDULED)
        await cancel(database, job.id)
        await again(database, job.id)
        answers = [(await ask(database, session, job, run)).answer for run in (1, 2)]

        assert [Answer.STALE, Answer.CLAIMED] == answers

    async def test_a_time_limit_that_is_still_ahead_stays(self, database: Database) -> None:
        job, _ = await in_state(database, State.FAILED)
        await database.fetch("UPDATE jobs SET expires_at = now() + interval '1 hour' WHERE id = $1", job.id)
        await again(database, job.id)

        assert await field(database, job, "expires_at")

    async def test_it_waits_where_its_type_is_served_now(self, database: Database) -> None:
        job, _ = await in_state(database, State.FAILED)
        await job_types.register(database, [replace(ECHO, queue="elsewhere")])
        await again(database, job.id)

        assert "elsewhere" == await field(database, job, "queue")

    async def test_fifty_at_once_send_it_once(self, database: Database) -> None:
        job, session = await in_state(database, State.FAILED)
        words = [found.word for found in await asyncio.gather(*[again(database, job.id) for _ in range(50)])]

        assert [49, 1] == [words.count(word) for word in (Word.REFUSED, Word.SENT)]
        assert 2 == await field(database, job, "run")
        assert Answer.CLAIMED == (await ask(database, session, job, run=2)).answer

    async def test_against_the_sweep_it_starts_once(self, database: Database) -> None:
        """
        The publisher is slow, the sweep leases the row too, the old row is still there: three messages, one start.
        """
        job, session = await in_state(database, State.FAILED)
        answer = await again(database, job.id)
        await database.fetch("UPDATE outbox SET publish_after = now()")
        posts, needless = await outbox.lease(database, 10, 10.0)
        other = await working(database)
        copies = [answer.post, *posts]
        holders = zip((session, other), copies, strict=True)
        answers = [(await ask(database, holder, job, copy and copy.run)).answer for holder, copy in holders]

        assert ([2], 1) == ([post.run for post in posts], len(needless))
        assert [Answer.CLAIMED, Answer.HELD] == answers

    async def test_against_a_delete_it_is_sent_or_gone(self, database: Database) -> None:
        jobs = [(await in_state(database, State.CANCELLED))[0] for _ in range(25)]
        sent = asyncio.gather(*[again(database, job.id) for job in jobs])
        gone = await asyncio.gather(*[delete(database, job.id) for job in jobs])
        words = list(zip([s.word for s in await sent], [g.word for g in gone], strict=True))
        session = await working(database)
        answers = await claim(database, session, [Delivered(job.id, 2, job.body_hash) for job in jobs], LEASE_SECONDS)

        assert {(Word.SENT, Word.REFUSED), (Word.UNKNOWN, Word.DELETED)} >= set(words)
        assert [Answer.CLAIMED if word[0] is Word.SENT else Answer.GONE for word in words] == [
            answers[job.id].answer for job in jobs
        ]


async def waits_for_a_lock(database: Database) -> bool:
    rows = await database.fetch(
        "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.datname = current_database() "
        "JOIN pg_stat_activity a ON a.pid = l.pid AND a.datid = d.oid WHERE NOT l.granted"
    )
    return bool(rows)
