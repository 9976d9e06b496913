"""Which waiting jobs a worker may start that the broker does not give out: due ones, less important ones, its own."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer
from persistence.mending.neglected import _FIND, WAITED, find
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, submission, working

CROWD = """
INSERT INTO jobs (id, type, queue, state, priority, body, body_hash, max_retries, timeout_seconds, traceparent)
SELECT gen_random_uuid(), $1, CASE $1 WHEN 'echo' THEN 'default' ELSE $1 END, 'queued', 5, '', '', 3, 300, ''
  FROM generate_series(1, $2::int)
"""


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


async def test_a_crowd_of_a_type_that_postgres_has_not_counted_yet_is_not_looked_at_one_by_one(
    database: Database,
) -> None:
    await database.fetch(CROWD, "other", 3_000)
    await database.fetch("ANALYZE jobs")  # as autovacuum did, before the first of the new type came
    await database.fetch(CROWD, "echo", 500)
    asked = await database.fetch(f"EXPLAIN (ANALYZE) {_FIND}", ["default"], ["echo"], 5, 10, WAITED)
    plan = [row["QUERY PLAN"] for row in asked]

    assert [] == [line for line in plan if "Rows Removed by Filter" in line]
    assert [line for line in plan if "jobs_waiting" in line]
