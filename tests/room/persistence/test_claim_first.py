"""The short claim of a first message that came alone grants what the long one grants, and leaves the rest to it."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from persistence.attempts.claim import Answer, Claim, start_first
from persistence.store.database import Database
from tests.eventually import eventually
from tests.room.persistence.rows import accepted, ask, submission, working
from tests.room.persistence.states import waits_for_a_lock

FOUND: Final = {  # what has become of the row, and whether its first message starts it
    "nothing": ("run = run", True),
    "due by now": ("state = 'scheduled', scheduled_for = now() - interval '1 second'", True),
    "not expired yet": ("expires_at = now() + interval '1 hour'", True),
    "not due yet": ("state = 'scheduled', scheduled_for = now() + interval '1 hour'", False),
    "expired": ("expires_at = now() - interval '1 second'", False),
    "to be cancelled": ("cancel_requested_at = now()", False),
    "cancelled": ("state = 'cancelled'", False),
    "runs": ("state = 'running', lease = 1, holder = gen_random_uuid()", False),
    "retried": ("state = 'retrying', run = 2, next_attempt_at = now()", False),
    "queued again": ("run = 2", False),
    "completed": ("state = 'completed', lease = 1", False),
    "paused": ("type = 'paused'", False),
}
OWN: Final = (
    "ARRAY['id', 'body', 'body_hash', 'created_at', 'scheduled_for', 'expires_at', 'started_at', 'traceparent']"
)
ROW: Final = f"SELECT to_jsonb(j) - {OWN} AS row FROM jobs j"


async def test_it_grants_what_the_long_one_grants(database: Database) -> None:
    session = await working(database)
    await database.fetch("INSERT INTO pauses (kind, name, paused_by) VALUES ('type', 'paused', 'a test')")
    told = {name: await _claimed_both_ways(database, session, change) for name, (change, _) in FOUND.items()}

    assert {name: granted for name, (_, granted) in FOUND.items()} == told


async def test_who_was_in_a_crash_is_left_to_the_long_one(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await database.fetch("UPDATE jobs SET crashes = 1 WHERE id = $1", job.id)

    assert await start_first(database, session, job.id) is None


async def test_a_cancel_that_comes_between_is_seen(database: Database) -> None:
    """
    The claim waits for whoever changes the row, and asks once more.
    """
    session, job = await working(database), submission()
    await accepted(database, job)
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", job.id)
        claiming = asyncio.create_task(start_first(database, session, job.id))
        await eventually(lambda: waits_for_a_lock(database))

    assert await claiming is None


async def _claimed_both_ways(database: Database, session: UUID, change: str) -> bool:
    """Whether both of two equal jobs were granted; what differs is an error."""
    jobs = [submission(), submission()]
    await accepted(database, *jobs)
    for job in jobs:
        await database.fetch(f"UPDATE jobs SET {change} WHERE id = $1", job.id)
    short = await start_first(database, session, jobs[0].id)
    if short is None:
        return False
    long = await ask(database, session, jobs[1])
    rows = [await database.fetch_one(f"{ROW} WHERE id = $1", job.id) for job in jobs]
    assert _of(long) == _of(short)
    assert rows[1] == rows[0]
    return True


def _of(claim: Claim) -> tuple[object, ...]:
    assert claim.answer is Answer.CLAIMED
    return claim.lease, claim.run, claim.attempt, claim.max_retries, claim.timeout_seconds, claim.crashes, claim.first
