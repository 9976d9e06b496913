"""Whoever asked is told: the statement that ends a job writes its reply, whichever statement that is."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from persistence.accepting import replies
from persistence.accepting.submission import Submission
from persistence.attempts.record import Ending
from persistence.crew import workers
from persistence.crew.crashes import CONVICTIONS
from persistence.crew.reaping import send_orphans
from persistence.ending.cancel import again, cancel, delete
from persistence.letters.dead_letters import DeadLetter, keep
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, born, ended, recorded, submission, working
from wire.message import Incoming, ReplyTo
from wire.states import Outcome, Reason, State

ASKED = ReplyTo("answers", "question 1")


async def asking(database: Database, **said: Any) -> Submission:
    """A job of a sender that waits for the answer."""
    job = submission(reply_to=ASKED, **said)
    await born(database, job)
    return job


async def run(database: Database, job: Submission, outcome: Outcome, state: State, **said: Any) -> Ending:
    claim = await ask(database, await working(database), job)
    ending = ended(job, claim.lease, outcome, state=state, **said)
    await recorded(database, ending)
    return ending


async def told(database: Database) -> list[tuple[Any, ...]]:
    """The replies: to whom, and what."""
    rows = await database.fetch("SELECT reply_to, correlation_id, body FROM replies ORDER BY created_at")
    return [(row["reply_to"], row["correlation_id"], json.loads(row["body"])) for row in rows]


async def complete(database: Database, job: Submission) -> None:
    await run(database, job, Outcome.COMPLETED, State.COMPLETED, result='{"n": 10000000000000000000000.10}')


async def fail(database: Database, job: Submission) -> None:
    trouble = {"reason": Reason.EXHAUSTED, "error_type": "ValueError", "error_message": "no"}
    await run(database, job, Outcome.FAILED, State.FAILED, **trouble)


async def cancel_waiting(database: Database, job: Submission) -> None:
    await cancel(database, job.id)


async def cancel_running(database: Database, job: Submission) -> None:
    """It would be tried again, had nobody asked for its end."""
    claim = await ask(database, await working(database), job)
    await cancel(database, job.id)
    await recorded(database, ended(job, claim.lease, Outcome.RETRY, state=State.RETRYING, again_after=timedelta(1)))


async def cancel_orphan(database: Database, job: Submission) -> None:
    """Its worker is gone, and so is its message."""
    await ask(database, session := await working(database), job)
    await workers.end(database, session)
    await cancel(database, job.id)
    await send_orphans(database, 10, timedelta(0), timedelta(0))


async def expire(database: Database, job: Submission) -> None:
    await database.fetch("UPDATE jobs SET expires_at = $2 WHERE id = $1", job.id, datetime.now(UTC))
    await ask(database, await working(database), job)


async def poison(database: Database, job: Submission) -> None:
    for _ in range(CONVICTIONS + 1):
        await ask(database, session := await working(database), job)
        await workers.end(database, session)


async def purge(database: Database, job: Submission) -> None:
    await delete(database, job.id, purge=True)


ENDS: dict[str, tuple[Callable[[Database, Submission], Awaitable[None]], str, str | None]] = {
    "completed": (complete, "completed", None),
    "failed": (fail, "failed", "exhausted"),
    "cancelled while it waits": (cancel_waiting, "cancelled", None),
    "cancelled while it runs": (cancel_running, "cancelled", None),
    "cancelled without a worker": (cancel_orphan, "cancelled", None),
    "expired": (expire, "expired", None),
    "poison": (poison, "failed", "poison"),
    "deleted before its end": (purge, "deleted", None),
}


@pytest.mark.parametrize(("end", "state", "reason"), ENDS.values(), ids=list(ENDS))
async def test_every_end_of_a_job_is_told_once(
    database: Database, end: Callable[[Database, Submission], Awaitable[None]], state: str, reason: str | None
) -> None:
    job = await asking(database)
    await end(database, job)
    ((queue, correlation, body),) = await told(database)

    assert ("answers", "question 1") == (queue, correlation)
    assert (str(job.id), "echo", state, reason) == (body["id"], body["type"], body["state"], body["reason"])
    assert job.trace.trace_id == body["trace_id"]


async def test_the_reply_has_result_and_error_as_the_api_shows_them(database: Database) -> None:
    """
    The result's numbers as the actor wrote them; times in UTC.
    """
    await complete(database, await asking(database))
    await fail(database, await asking(database))
    (raw, _) = [row["body"] for row in await database.fetch("SELECT body FROM replies ORDER BY created_at")]
    (_, _, done), (_, _, failed) = await told(database)

    assert '"result":{"n": 10000000000000000000000.10}' in raw
    assert (False, None, 1) == (done["result_omitted"], done["error"], done["attempt"])
    assert ({"type": "ValueError", "message": "no"}, None) == (failed["error"], failed["result"])
    assert done["created_at"].endswith("Z")
    assert done["finished_at"].endswith("Z")


async def test_a_job_that_nobody_asked_about_is_not_told(database: Database) -> None:
    await accepted(database, job := submission())
    await complete(database, job)

    assert [] == await told(database)


async def test_a_job_that_is_tried_again_by_hand_is_told_again(database: Database) -> None:
    await fail(database, job := await asking(database))
    await again(database, job.id)
    claim = await ask(database, await working(database), job, 2)
    await recorded(database, ended(job, claim.lease, run=2))

    assert ["failed", "completed"] == [body["state"] for *_, body in await told(database)]


async def test_a_result_too_large_for_a_message_is_left_out_and_that_is_said(database: Database) -> None:
    job = await asking(database)
    await run(database, job, Outcome.COMPLETED, State.COMPLETED, result=f'"{"x" * 1_048_577}"')
    ((*_, body),) = await told(database)

    assert (None, True) == (body["result"], body["result_omitted"])


async def test_a_result_that_is_an_artifact_is_left_out_and_it_is_told_where_it_is(database: Database) -> None:
    job = await asking(database)
    session = await working(database)
    claim = await ask(database, session, job)
    await database.fetch(
        "INSERT INTO artifacts (id, job_id, lease, attempt, kind, name, content_type, key, state, size_bytes, sha256, "
        "sweep_after) VALUES ($1, $1, $2, 1, 'result', 'result.json', 'a/b', 'k', 'kept', 70000, '', now())",
        job.id, claim.lease,
    )  # fmt: skip
    await recorded(database, ended(job, claim.lease))
    ((*_, body),) = await told(database)

    assert (None, True) == (body["result"], body["result_omitted"])
    assert {"id": str(job.id), "size_bytes": 70_000} == body["result_artifact"]


async def test_the_birth_that_comes_after_the_end_is_told_at_once(database: Database) -> None:
    """
    A worker may have done the job before the recorder reads that somebody asked; a second look changes nothing.
    """
    await accepted(database, job := submission())
    await complete(database, job)
    for _ in range(2):
        await expect(database, replace(job, reply_to=ASKED))

    assert ["completed"] == [body["state"] for *_, body in await told(database)]


async def test_who_asks_again_from_elsewhere_is_told_there(database: Database) -> None:
    """
    Its connection was lost and the queue with it: the same message with another `reply_to` gets the same outcome.
    """
    await complete(database, job := await asking(database))
    await expect(database, replace(job, reply_to=ReplyTo("elsewhere", "question 2")))

    assert [("answers", "completed"), ("elsewhere", "completed")] == [
        (queue, body["state"]) for queue, _, body in await told(database)
    ]


async def test_nobody_is_told_of_a_job_that_another_body_made(database: Database) -> None:
    await complete(database, job := await asking(database))
    await expect(database, replace(job, body_hash=b"another", reply_to=ReplyTo("elsewhere", "question 2")))

    assert ["answers"] == [queue for queue, *_ in await told(database)]


async def expect(database: Database, job: Submission) -> None:
    async with database.transaction() as transaction:
        await replies.expect(transaction, [job])


async def test_a_refusal_is_told_once_however_many_refuse_it(database: Database) -> None:
    message_id = str(uuid4())
    message = Incoming(b"{", "jobs.in", "job.echo.p5", "births", {}, message_id, reply_to="answers")
    for reason in ("malformed", "unroutable"):
        await keep(database, [DeadLetter(message, reason, "body: is not JSON")] * 2)
    ((queue, correlation, body),) = await told(database)
    (letter,) = await database.fetch("SELECT id, reason FROM dead_letters")

    assert ("answers", message_id, "malformed") == (queue, correlation, letter["reason"])
    assert {
        "id": message_id, "type": "echo", "state": "refused", "reason": "malformed", "result": None,
        "error": {"type": "Refused", "message": "body: is not JSON"}, "dead_letter": letter["id"],
    } == body  # fmt: skip


async def test_nothing_is_told_into_a_queue_of_warren(database: Database) -> None:
    message = Incoming(b"{", "jobs.in", "job.echo.p5", "births", {}, str(uuid4()), reply_to="births")
    await keep(database, [DeadLetter(message, "malformed", "body: is not JSON")])

    assert [] == await told(database)


async def test_a_lease_comes_back_with_growing_waits_and_is_given_up_at_last(database: Database) -> None:
    await complete(database, await asking(database))
    waits, lost = [], []
    for _ in range(replies.MOST_TRIES + 1):
        (reply,) = await replies.lease(database, 10, 10)
        (row,) = await database.fetch("SELECT extract(epoch FROM publish_after - clock_timestamp()) AS s FROM replies")
        waits.append(round(float(row["s"]) / 10) * 10)
        lost.append(reply.lost)
        assert [] == await replies.lease(database, 10, 10)  # it is leased
        await database.fetch("UPDATE replies SET publish_after = clock_timestamp()")

    assert [10, 20, 40, 80, 160, 300, 300] == waits[:7]
    assert [False] * replies.MOST_TRIES + [True] == lost
    assert [] == await replies.lease(database, 10, 10)
