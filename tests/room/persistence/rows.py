"""Jobs, workers and deliveries for the tests of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from msgspec import structs

from persistence.accepting.accept import insert
from persistence.accepting.births import bear
from persistence.accepting.outbox import Post
from persistence.accepting.submission import Submission, fill
from persistence.attempts.claim import Claim, Delivered, claim
from persistence.attempts.record import Ending, Recorded, record
from persistence.crew import workers
from persistence.crew.workers import Worker
from persistence.declared.job_types import JobType
from persistence.store.database import Database
from wire.envelope import Envelope, encode
from wire.identity import fresh_id
from wire.states import Outcome, State
from wire.tracing import Trace

LEASE_SECONDS = 15.0
ECHO = JobType("echo", "default", "", '{"type": "object"}', 5, 3, 30.0, 2.0, 300.0)


def submission(job_id: UUID | None = None, *, starts_in: timedelta | None = None, **said: object) -> Submission:
    """A job as it comes through a door."""
    envelope = Envelope("echo", {}, b'{"message":"hi"}', id=job_id or fresh_id())
    now = datetime.now(UTC)
    made = fill(envelope, ECHO, encode(envelope), Trace.begin(), now)
    return structs.replace(made, starts_at=now + starts_in if starts_in else None, **said)  # type: ignore[arg-type]


async def accepted(database: Database, *submissions: Submission) -> None:
    async with database.transaction() as transaction:
        await insert(transaction, list(submissions))


async def born(database: Database, *submissions: Submission) -> None:
    """What the recorder does with a birth."""
    async with database.transaction() as transaction:
        await bear(transaction, submissions)


async def working(database: Database) -> UUID:
    """A live worker's session."""
    session = uuid4()
    await workers.arrive(database, Worker(session, "w:1", "w", 1, ["default"], ["echo"], 10))
    return session


async def silent(database: Database, session: UUID, seconds: float) -> None:
    """Nothing has been heard of it for so long."""
    await database.fetch(
        "UPDATE workers SET heartbeat_at = clock_timestamp() - make_interval(secs => $2) WHERE session = $1",
        session,
        seconds,
    )


async def steady(database: Database, session: UUID) -> None:
    """It has beaten without a gap for longer than a lease."""
    await database.fetch(
        "UPDATE workers SET steady_since = clock_timestamp() - make_interval(secs => $2) WHERE session = $1",
        session,
        LEASE_SECONDS + 1,
    )


def delivered(job: Submission, run: int | None = 1) -> Delivered:
    return Delivered(job.id, run, job.body_hash, job if run is None else None)


async def ask(database: Database, session: UUID, job: Submission, run: int | None = 1) -> Claim:
    answers = await claim(database, session, [delivered(job, run)], LEASE_SECONDS)
    return answers[job.id]


def ended(job: Submission, lease: int, outcome: Outcome = Outcome.COMPLETED, **said: object) -> Ending:
    now = datetime.now(UTC)
    plain = Ending(job.id, lease, 1, 1, "w:1", outcome, State.COMPLETED, now, now)
    return structs.replace(plain, **said)  # type: ignore[arg-type]


async def recorded(database: Database, ending: Ending, holder: UUID | None = None) -> Recorded:
    return (await written(database, [ending], holder))[0][ending.job_id]


async def written(
    database: Database, endings: Sequence[Ending], holder: UUID | None = None
) -> tuple[dict[UUID, Recorded], list[Post]]:
    """What a worker records: the one that is said, or whoever holds the first of these."""
    rows = await database.fetch("SELECT holder FROM jobs WHERE id = $1", endings[0].job_id)
    return await record(database, endings, holder or next((row["holder"] for row in rows), None) or uuid4())


async def field(database: Database, job: Submission, name: str) -> object:
    row = await database.fetch_one(f"SELECT {name} AS value FROM jobs WHERE id = $1", job.id)
    return row["value"] if row else None
