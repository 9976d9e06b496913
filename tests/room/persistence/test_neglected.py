"""Which waiting jobs a worker may start that the broker does not give out: due ones, less important ones, its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from persistence.claim import Answer
from persistence.database import Database
from persistence.neglected import find
from persistence.submission import Submission
from tests.room.persistence.rows import accepted, ask, submission, working


async def waiting(database: Database, *jobs: Submission, seconds: float = 60) -> None:
    await accepted(database, *jobs)
    await database.fetch(
        "UPDATE jobs SET created_at = created_at - make_interval(secs => $1) WHERE id = ANY($2)",
        seconds,
        [job.id for job in jobs],
    )


def important(priority: int, **said: object) -> Submission:
    return replace(submission(), priority=priority, **said)  # type: ignore[arg-type]


async def found(database: Database, below: int, limit: int = 10) -> list[str | None]:
    messages = await find(database, ["default"], ["echo"], below=below, limit=limit)
    return [message.message_id for message in messages]


async def test_the_lowest_come_first_and_within_one_priority_those_that_waited_longest(database: Database) -> None:
    high, low, lower, older = important(7), important(2), important(1), important(1)
    await waiting(database, high, low, lower)
    await waiting(database, older, seconds=90)

    assert [str(job.id) for job in (older, lower, low)] == await found(database, below=7)
    assert [str(older.id)] == await found(database, below=10, limit=1)


async def test_what_has_just_come_is_later_or_runs_elsewhere_is_left_alone(database: Database) -> None:
    fresh, later, running = important(1), important(1, starts_at=None), important(1)
    await waiting(database, fresh, seconds=0)
    await waiting(database, later, running)
    await database.fetch(
        "UPDATE jobs SET scheduled_for = now() + $1::interval WHERE id = $2", timedelta(hours=1), later.id
    )
    await ask(database, await working(database), running)

    assert [] == await found(database, below=10)


async def test_types_and_queues_of_others_are_theirs(database: Database) -> None:
    await waiting(database, important(1, type="other"), important(1, queue="other"))

    assert [] == await found(database, below=10)


async def test_what_is_found_can_be_claimed_like_the_message_itself(database: Database) -> None:
    job = important(1)
    await waiting(database, job)
    (message,) = await find(database, ["default"], ["echo"], below=5, limit=1)
    claim = await ask(database, await working(database), job, message.run)

    assert (job.body, "echo", 1, "work.default") == (message.body, message.type, message.priority, message.queue)
    assert Answer.CLAIMED == claim.answer
