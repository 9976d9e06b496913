"""What people ask about jobs: one job, a page of jobs, a job's attempts.

Reads are keyset-paged by (created_at, id), newest first, so that page 1,000 costs what page 1 costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_

from persistence.database import Database, Row
from persistence.retry_plan import Backoff, PlannedAttempt, plan
from persistence.tables import attempts, dead_letters, job_types, jobs, workers
from wire.envelope import payload_of
from wire.states import FILTERS, FINAL, State
from wire.tracing import TRACEPARENT, Trace


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands; payload and result are JSON text, exactly as they were sent and returned."""

    id: UUID
    type: str
    queue: str
    state: State
    reason: str | None
    priority: int
    payload: bytes
    result: str | None
    error_type: str | None
    error_message: str | None
    attempt: int
    max_retries: int
    timeout_seconds: float
    created_at: datetime
    scheduled_for: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime | None
    retry_plan: list[PlannedAttempt] | None
    expires_at: datetime | None
    cancel_requested_at: datetime | None
    progress: float | None
    note: str | None
    worker: str | None
    tags: tuple[str, ...]
    batch_id: UUID | None
    redriven_from: int | None  # the dead letter that it was made of
    trace_id: str

    @property
    def finished(self) -> bool:
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class Attempt:
    """One lease of a job, ended."""

    lease: int
    run: int
    attempt: int
    outcome: str
    reason: str | None
    worker: str
    started_at: datetime
    finished_at: datetime
    retry_after_seconds: float | None
    error_type: str | None
    error_message: str | None
    traceback: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs a reader wants; None means all."""

    state: str | None = None  # a word of wire.states.FILTERS
    type: str | None = None
    queue: str | None = None
    tag: str | None = None
    batch_id: UUID | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended."""

    created_at: datetime
    id: UUID


_JOB = (
    select(
        jobs,
        workers.c.name.label("worker"),
        job_types.c.retry_base_seconds,
        job_types.c.retry_max_seconds,
        select(func.max(dead_letters.c.id))
        .where(dead_letters.c.redriven_as == jobs.c.id)
        .scalar_subquery()
        .label("redriven_from"),
    )
    .outerjoin(workers, workers.c.session == jobs.c.holder)
    .outerjoin(job_types, job_types.c.name == jobs.c.type)
)


async def one_job(database: Database, job_id: UUID) -> Job | None:
    rows = await database.read(_JOB.where(jobs.c.id == job_id))
    return _job(rows[0]) if rows else None


async def page_of_jobs(database: Database, wanted: Filter, limit: int, after: Place | None = None) -> list[Job]:
    """At most `limit` jobs, newest first, from behind `after`."""
    query = _filtered(_JOB, wanted).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
    if after:
        query = query.where(tuple_(jobs.c.created_at, jobs.c.id) < (after.created_at, after.id))
    return [_job(row) for row in await database.read(query)]


async def attempts_of(database: Database, job_id: UUID) -> list[Attempt]:
    """All ended attempts of a job, oldest first."""
    query = select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.lease)
    return [_attempt(row) for row in await database.read(query)]


async def finished_among(database: Database, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these jobs have ended (or are gone): one look for all who wait."""
    sql = "SELECT id FROM jobs WHERE id = ANY($1) AND state <> ALL($2)"
    rows = await database.read(sql, list(ids), [state.value for state in FINAL])
    return set(ids) - {row["id"] for row in rows}


def _filtered(query: Select[tuple[object, ...]], wanted: Filter) -> Select[tuple[object, ...]]:
    if wanted.state is not None:
        query = query.where(jobs.c.state.in_(sorted(FILTERS[wanted.state])))
    if wanted.type is not None:
        query = query.where(jobs.c.type == wanted.type)
    if wanted.queue is not None:
        query = query.where(jobs.c.queue == wanted.queue)
    if wanted.tag is not None:
        query = query.where(jobs.c.tags.contains([wanted.tag]))
    if wanted.batch_id is not None:
        query = query.where(jobs.c.batch_id == wanted.batch_id)
    if wanted.since is not None:
        query = query.where(jobs.c.created_at >= wanted.since)
    return query


def _job(row: Row) -> Job:
    trace = Trace.of({TRACEPARENT: row["traceparent"]})
    return Job(
        **{name: row[name] for name in _PLAIN},
        state=State(row["state"]),
        payload=payload_of(row["body"]),
        tags=tuple(row["tags"] or ()),
        retry_plan=_plan(row),
        next_attempt_at=None if State(row["state"]) in FINAL else row["next_attempt_at"],  # a cancelled job keeps its
        trace_id=trace.trace_id if trace else "",
    )


def _plan(row: Row) -> list[PlannedAttempt] | None:
    if row["retry_base_seconds"] is None:
        return None  # its type is registered nowhere any more
    backoff = Backoff(row["retry_base_seconds"], row["retry_max_seconds"])
    return plan(State(row["state"]), row["attempt"], row["max_retries"], row["next_attempt_at"], backoff)


def _attempt(row: Row) -> Attempt:
    return Attempt(**{name: row[name] for name in Attempt.__slots__})


_PLAIN = [
    name
    for name in Job.__slots__
    if name not in ("state", "payload", "tags", "retry_plan", "next_attempt_at", "trace_id")
]
