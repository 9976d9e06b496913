"""What the gateway answers, as structs: the JSON that is sent and the schemas that /openapi.json shows are both these.

Payload and result are spliced in as the bytes that were sent and returned: key order, big numbers and the spelling of
floats survive.  Knows no HTTP.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from persistence import reads
from persistence.accept import Accepted
from persistence.job_types import JobType as RegisteredType
from persistence.submission import Submission
from wire.states import Outcome, Reason, State

JOBS = "/api/v1/jobs"
JOB_TYPES = "/api/v1/job-types"

Cursor = Annotated[str | None, Meta(description="Send it as `cursor` for the next page; null on the last one")]


class JobLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    attempts: str


class Receipt(Struct, frozen=True):
    """A job that was accepted."""

    id: UUID
    type: str
    state: State
    created_at: Annotated[datetime | None, Meta(description="null while Postgres is away and RabbitMQ holds the job")]
    trace_id: str
    links: JobLinks
    duplicate: Annotated[bool | UnsetType, Meta(description="true if this job had been accepted before")] = UNSET


class Progress(Struct, frozen=True):
    fraction: float | None
    note: str | None


class JobError(Struct, frozen=True):
    type: str | None
    message: str | None


class PlannedAttempt(Struct, frozen=True):
    """An attempt to come, should those before it fail."""

    attempt: int
    after_seconds: Annotated[float | None, Meta(description="Wait after the attempt before; null if it waits already")]
    at_most_seconds: Annotated[float | None, Meta(description="The same with all the jitter")]
    earliest_at: Annotated[datetime | None, Meta(description="null while an attempt before it has yet to end")]


class Job(Struct, frozen=True):
    """A job as it stands."""

    id: UUID
    type: str
    queue: str
    state: State
    reason: Annotated[Reason | None, Meta(description="Why it is failed")]
    priority: Annotated[int, Meta(ge=1, le=10, description="10 is the highest")]
    payload: Annotated[Raw, Meta(description="As it was sent, byte for byte")]
    result: Annotated[Raw | None, Meta(description="As the actor returned it")]
    error: JobError | None
    attempt: Annotated[int, Meta(description="Attempts that count, the running one included")]
    max_retries: int
    timeout_seconds: float
    created_at: datetime
    scheduled_for: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime | None
    retry_plan: Annotated[
        list[PlannedAttempt] | None,
        Meta(description="The next attempts that are left, at most 20; null when none are"),
    ]
    expires_at: datetime | None
    cancel_requested_at: Annotated[datetime | None, Meta(description="It is to end; a running job may still complete")]
    progress: Progress | None
    worker: str | None
    tags: tuple[str, ...]
    batch_id: UUID | None
    redriven_from: Annotated[int | None, Meta(description="The dead letter that it was made of")]
    trace_id: str
    links: JobLinks


class JobList(Struct, frozen=True):
    items: list[Job]
    next_cursor: Cursor


class AttemptError(Struct, frozen=True):
    type: str | None
    message: str | None
    traceback: str | None


class Attempt(Struct, frozen=True):
    """One start of a job that has ended."""

    lease: Annotated[int, Meta(description="Numbers the starts; only the holder of the last one may write the outcome")]
    run: int
    attempt: int
    outcome: Outcome
    reason: str | None
    worker: str
    started_at: datetime
    finished_at: datetime
    retry_after_seconds: float | None
    error: AttemptError | None


class AttemptList(Struct, frozen=True):
    items: list[Attempt]
    next_cursor: Cursor


class TypeLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")


class JobType(Struct, frozen=True):
    """A type as its workers registered it."""

    name: str
    queue: str
    description: str
    payload_schema: Annotated[Raw, Meta(description="JSON Schema of the payload")]
    priority: int
    max_retries: int
    timeout_seconds: float
    retry_base_seconds: float
    retry_max_seconds: float
    workers: Annotated[int, Meta(description="Live workers that serve it")]
    links: TypeLinks


class JobTypeList(Struct, frozen=True):
    items: list[JobType]
    next_cursor: Cursor


encode = msgspec.json.Encoder().encode


def links_of(job_id: UUID) -> JobLinks:
    path = f"{JOBS}/{job_id}"
    return JobLinks(path, f"{path}/attempts")


def receipt(submission: Submission, accepted: Accepted) -> Receipt:
    return Receipt(
        id=submission.id,
        type=submission.type,
        state=accepted.state,
        created_at=accepted.created_at,
        trace_id=accepted.trace_id,
        links=links_of(submission.id),
        duplicate=True if accepted.duplicate else UNSET,
    )


def job(found: reads.Job) -> Job:
    return Job(
        id=found.id,
        type=found.type,
        queue=found.queue,
        state=found.state,
        reason=Reason(found.reason) if found.reason else None,
        priority=found.priority,
        payload=Raw(found.payload),
        result=None if found.result is None else Raw(found.result.encode()),
        error=None if found.error_type is None else JobError(found.error_type, found.error_message),
        attempt=found.attempt,
        max_retries=found.max_retries,
        timeout_seconds=found.timeout_seconds,
        created_at=found.created_at,
        scheduled_for=found.scheduled_for,
        started_at=found.started_at,
        finished_at=found.finished_at,
        next_attempt_at=found.next_attempt_at,
        retry_plan=_plan(found),
        expires_at=found.expires_at,
        cancel_requested_at=found.cancel_requested_at,
        progress=_progress(found),
        worker=found.worker,
        tags=found.tags,
        batch_id=found.batch_id,
        redriven_from=found.redriven_from,
        trace_id=found.trace_id,
        links=links_of(found.id),
    )


def attempt(found: reads.Attempt) -> Attempt:
    return Attempt(
        lease=found.lease,
        run=found.run,
        attempt=found.attempt,
        outcome=Outcome(found.outcome),
        reason=found.reason,
        worker=found.worker,
        started_at=found.started_at,
        finished_at=found.finished_at,
        retry_after_seconds=found.retry_after_seconds,
        error=_attempt_error(found),
    )


def job_type(found: RegisteredType) -> JobType:
    return JobType(
        name=found.name,
        queue=found.queue,
        description=found.description,
        payload_schema=Raw(found.payload_schema.encode()),
        priority=found.priority,
        max_retries=found.max_retries,
        timeout_seconds=found.timeout_seconds,
        retry_base_seconds=found.retry_base_seconds,
        retry_max_seconds=found.retry_max_seconds,
        workers=found.workers,
        links=TypeLinks(f"{JOB_TYPES}/{found.name}"),
    )


def _progress(found: reads.Job) -> Progress | None:
    if found.progress is None and found.note is None:
        return None
    return Progress(found.progress, found.note)


def _plan(found: reads.Job) -> list[PlannedAttempt] | None:
    if found.retry_plan is None:
        return None
    return [PlannedAttempt(p.attempt, p.after_seconds, p.at_most_seconds, p.earliest_at) for p in found.retry_plan]


def _attempt_error(found: reads.Attempt) -> AttemptError | None:
    if found.error_type is None and found.error_message is None:
        return None
    return AttemptError(found.error_type, found.error_message, found.traceback)
