"""Try again by hand: once, with the budget renewed, whatever the state and whoever else asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from persistence.accepting import outbox
from persistence.attempts.claim import Answer, Delivered, claim
from persistence.declared import job_types
from persistence.ending.cancel import Answer as Found
from persistence.ending.cancel import Word, again, cancel, delete
from persistence.store.database import Database
from tests.room.persistence.rows import (
    ECHO,
    LEASE_SECONDS,
    ask,
    ended,
    field,
    recorded,
    working,
)
from tests.room.persistence.states import in_state
from wire.states import State


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.EXPIRED])
async def test_it_waits_again_with_its_budget_renewed(database: Database, state: State) -> None:
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
async def test_other_states_are_refused(database: Database, state: State) -> None:
    job, _ = await in_state(database, state)
    before = await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)

    assert Found(Word.REFUSED, state) == await again(database, job.id)
    assert before == await database.fetch_one("SELECT * FROM jobs WHERE id = $1", job.id)


async def test_its_earlier_attempts_stay(database: Database) -> None:
    job, session = await in_state(database, State.FAILED)
    await again(database, job.id)
    await ask(database, session, job, run=2)
    await recorded(database, ended(job, 2, run=2))
    rows = await database.fetch("SELECT lease, outcome FROM attempts ORDER BY lease")

    assert [(1, "failed"), (2, "completed")] == [(row["lease"], row["outcome"]) for row in rows]


async def test_a_late_copy_of_its_old_message_is_stale(database: Database) -> None:
    """A scheduled job is cancelled and sent again by hand; its ladder copy comes an hour later."""
    job, session = await in_state(database, State.SCHEDULED)
    await cancel(database, job.id)
    await again(database, job.id)
    answers = [(await ask(database, session, job, run)).answer for run in (1, 2)]

    assert [Answer.STALE, Answer.CLAIMED] == answers


async def test_a_time_limit_that_is_still_ahead_stays(database: Database) -> None:
    job, _ = await in_state(database, State.FAILED)
    await database.fetch("UPDATE jobs SET expires_at = now() + interval '1 hour' WHERE id = $1", job.id)
    await again(database, job.id)

    assert await field(database, job, "expires_at")


async def test_it_waits_where_its_type_is_served_now(database: Database) -> None:
    job, _ = await in_state(database, State.FAILED)
    await job_types.register(database, [replace(ECHO, queue="elsewhere")])
    await again(database, job.id)

    assert "elsewhere" == await field(database, job, "queue")


async def test_fifty_at_once_send_it_once(database: Database) -> None:
    job, session = await in_state(database, State.FAILED)
    words = [found.word for found in await asyncio.gather(*[again(database, job.id) for _ in range(50)])]

    assert [49, 1] == [words.count(word) for word in (Word.REFUSED, Word.SENT)]
    assert 2 == await field(database, job, "run")
    assert Answer.CLAIMED == (await ask(database, session, job, run=2)).answer


async def test_against_the_sweep_it_starts_once(database: Database) -> None:
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


async def test_against_a_delete_it_is_sent_or_gone(database: Database) -> None:
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
