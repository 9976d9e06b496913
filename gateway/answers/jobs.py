"""What the gateway answers about jobs, their attempts, and that one was accepted.

Payload and result are spliced in as the bytes that were sent and returned: key order, big numbers and the spelling of
floats survive.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from gateway.entrance.cursor import Cursor
from persistence.accepting.accept import Accepted
from persistence.accepting.submission import Submission
from persistence.questions import reads
from wire.states import Outcome, Reason, State

JOBS = "/api/v1/jobs"
DIRECT: Final = "amq.rabbitmq.reply-to"  # RabbitMQ puts a secret behind it: whoever has that can answer in our place


TraceUrl = Annotated[str | UnsetType, Meta(description="Where its trace is shown; by WARREN_TRACE_URL_TEMPLATE")]


class ReceiptLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    attempts: str


class JobLinks(ReceiptLinks, frozen=True):
    why: str
    timeline: str
    logs: str
    artifacts: str
    result: str


class Receipt(Struct, frozen=True):
    """A job that was accepted."""

    id: UUID
    type: str
    state: State
    created_at: Annotated[datetime | None, Meta(description="null while Postgres is away and RabbitMQ holds the job")]
    trace_id: str
    links: ReceiptLinks
    trace_url: TraceUrl = UNSET
    duplicate: Annotated[bool | UnsetType, Meta(description="true if this job had been accepted before")] = UNSET
    unique: Annotated[bool | UnsetType, Meta(description="true if it is another job, which stands for this one")] = (
        UNSET
    )


class Progress(Struct, frozen=True):
    fraction: float | None
    note: str | None


class ResultArtifact(Struct, frozen=True):
    """Where a result is that was too large for the job's row."""

    id: UUID
    size_bytes: int


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
    result: Annotated[Raw | None, Meta(description="As the actor returned it; null if it is an artifact")]
    result_artifact: Annotated[ResultArtifact | None, Meta(description="A result of more than 64 KiB; links.result")]
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
    schedule_id: Annotated[UUID | None, Meta(description="The schedule that made it")]
    due_at: Annotated[datetime | None, Meta(description="The due time of that schedule which it is for")]
    redriven_from: Annotated[int | None, Meta(description="The dead letter that it was made of")]
    reply_to: Annotated[str | None, Meta(description="The RabbitMQ queue that is told its outcome")]
    correlation_id: Annotated[str | None, Meta(description="What the outcome carries back to it")]
    trace_id: str
    links: JobLinks
    trace_url: TraceUrl = UNSET


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


def _links(job_id: UUID) -> JobLinks:
    path = f"{JOBS}/{job_id}"
    return JobLinks(
        path,
        f"{path}/attempts",
        f"{path}/why",
        f"{path}/timeline",
        f"{path}/logs",
        f"{path}/artifacts",
        f"{path}/result",
    )


def receipt(submission: Submission, accepted: Accepted, trace_url: str = "") -> Receipt:
    job_id = accepted.holder or submission.id
    path = f"{JOBS}/{job_id}"
    return Receipt(
        id=job_id,
        type=submission.type,
        state=accepted.state,
        created_at=accepted.created_at,
        trace_id=accepted.trace_id,
        links=ReceiptLinks(path, f"{path}/attempts"),
        trace_url=_seen_at(trace_url, accepted.trace_id),
        duplicate=True if accepted.duplicate else UNSET,
        unique=True if accepted.holder else UNSET,
    )


def job(found: reads.Job, trace_url: str = "") -> Job:
    """The template of a trace's address is a setting; without one none is told."""
    return Job(
        id=found.id,
        type=found.type,
        queue=found.queue,
        state=found.state,
        reason=Reason(found.reason) if found.reason else None,
        priority=found.priority,
        payload=Raw(found.payload),
        result=None if found.result is None else Raw(found.result.encode()),
        result_artifact=_result_artifact(found),
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
        schedule_id=found.scheduled.id if found.scheduled else None,
        due_at=found.scheduled.due_at if found.scheduled else None,
        redriven_from=found.redriven_from,
        reply_to=_reply_to(found),
        correlation_id=found.correlation_id,
        trace_id=found.trace_id,
        links=_links(found.id),
        trace_url=_seen_at(trace_url, found.trace_id),
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


def _seen_at(template: str, trace_id: str) -> str | UnsetType:
    return template.replace("{trace_id}", trace_id) if template and trace_id else UNSET


def _result_artifact(found: reads.Job) -> ResultArtifact | None:
    return None if found.result_artifact is None else ResultArtifact(found.result_artifact, found.result_bytes or 0)


def _reply_to(found: reads.Job) -> str | None:
    """The queue as its sender named it."""
    return DIRECT if found.reply_to and found.reply_to.startswith(f"{DIRECT}.") else found.reply_to


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
