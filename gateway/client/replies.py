"""What the gateway answers, as a program reads it.

A younger gateway may say more, and an older one less: what is unknown is passed over, and what may be missing has a
default.  A test holds these names and those in gateway/answers/ together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from wire.states import FINAL, State


class Progress(Struct, frozen=True):
    fraction: float | None = None
    note: str | None = None


class JobError(Struct, frozen=True):
    type: str | None = None
    message: str | None = None


class ResultArtifact(Struct, frozen=True):
    """Where a result is that is too large for the job's row."""

    id: UUID
    size_bytes: int = 0


class Receipt(Struct, frozen=True):
    """A job that was accepted."""

    id: UUID
    duplicate: bool = False  # it had been accepted before


class Job(Struct, frozen=True, kw_only=True):
    """A job as it stands."""

    id: UUID
    type: str
    queue: str
    state: State
    reason: str | None = None
    priority: int
    payload: Any
    result: Any = None
    result_artifact: ResultArtifact | None = None  # in lists it stands for the result; `get` and `wait` read that
    error: JobError | None = None
    attempt: int
    max_retries: int
    timeout_seconds: float
    created_at: datetime
    scheduled_for: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    next_attempt_at: datetime | None = None
    expires_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    progress: Progress | None = None
    worker: str | None = None
    tags: tuple[str, ...] = ()
    batch_id: UUID | None = None
    schedule_id: UUID | None = None
    due_at: datetime | None = None  # of that schedule
    redriven_from: int | None = None
    reply_to: str | None = None
    correlation_id: str | None = None
    trace_id: str = ""

    @property
    def finished(self) -> bool:
        return self.state in FINAL


class Page(Struct, frozen=True):
    """Some jobs, newest first; `next_cursor` asks for the next ones."""

    items: tuple[Job, ...]
    next_cursor: str | None = None


class BatchCounts(Struct, frozen=True):
    """How many of its jobs stand where; the sum of the others is `total`."""

    total: int = 0
    pending: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0


class BatchProgress(Struct, frozen=True):
    fraction: float = 0.0
    ended: int = 0


class Batch(Struct, frozen=True, kw_only=True):
    """A batch as it stands: `open` takes more jobs, `failed` has ended and not all completed."""

    id: UUID
    name: str | None = None
    state: str
    counts: BatchCounts
    progress: BatchProgress = BatchProgress()
    tags: tuple[str, ...] = ()
    on_complete: Any = None
    on_failure: Any = None
    callback_id: UUID | None = None  # the job that its last end has submitted
    ends: int = 0
    created_at: datetime
    closed_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    trace_id: str = ""
    duplicate: bool = False  # it had been made before

    @property
    def finished(self) -> bool:
        return self.finished_at is not None


class BatchPage(Struct, frozen=True):
    """Some batches, newest first; `next_cursor` asks for the next ones."""

    items: tuple[Batch, ...]
    next_cursor: str | None = None


class AttemptError(Struct, frozen=True):
    type: str | None = None
    message: str | None = None
    traceback: str | None = None


class Attempt(Struct, frozen=True, kw_only=True):
    """One start of a job that has ended."""

    lease: int
    run: int
    attempt: int
    outcome: str
    reason: str | None = None
    worker: str
    started_at: datetime
    finished_at: datetime
    retry_after_seconds: float | None = None
    error: AttemptError | None = None


class AttemptList(Struct, frozen=True):
    items: tuple[Attempt, ...]


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that nobody could do, and why."""

    id: int
    job_id: UUID | None = None
    message_id: str = ""
    type: str | None = None
    reason: str
    detail: str
    fingerprint: str = ""
    size_bytes: int = 0
    exchange: str = ""
    routing_key: str = ""
    queue: str = ""
    created_at: datetime
    redriven_at: datetime | None = None
    redriven_as: UUID | None = None


class OpenedLetter(DeadLetter, frozen=True, kw_only=True):
    """A dead letter with its bytes: `body` is text, or base64 where `encoding` says so."""

    body: str
    encoding: str = "utf-8"
    cut: bool = False
    properties: dict[str, Any] = {}
    headers: dict[str, Any] = {}


class LetterPage(Struct, frozen=True):
    """Some dead letters, newest first; `next_cursor` asks for the next ones."""

    items: tuple[DeadLetter, ...]
    next_cursor: str | None = None


class Problem(Struct, frozen=True):
    """Why something was refused, as the gateway writes it (gateway/entrance/problems.py)."""

    type: str = ""
    detail: str = ""
    field: str = ""
    remedy: str = ""


class Item(Struct, frozen=True):
    """What became of one job of many."""

    status: Literal["accepted", "duplicate", "invalid"]
    id: UUID | None = None
    problem: Problem | None = None


class Obstacle(Struct, frozen=True):
    """One of the things that keep a job from running."""

    cause: str
    sentence: str


class Ahead(Struct, frozen=True):
    """Jobs that go before it; `at_most`: that many or fewer."""

    jobs: int
    at_most: bool = False


class AtHost(Struct, frozen=True):
    """Its turn at a host that it visits: behind so many, or promised (`ahead` is None)."""

    host: str
    ahead: int | None
    at: datetime
    apart_seconds: float = 0.0


class Serving(Struct, frozen=True):
    """The live workers that serve its type from its queue."""

    serving: int = 0
    consuming: int = 0
    draining: int = 0
    slots: int = 0
    free_slots: int = 0
    last_seen_at: datetime | None = None


class Why(Struct, frozen=True, kw_only=True):
    """What keeps a job from running, or what became of it: a sentence for people, a cause for programs."""

    id: UUID
    sentence: str
    cause: str
    also: tuple[Obstacle, ...] = ()
    now: datetime
    type: str
    queue: str
    state: State
    attempt: int
    max_attempts: int
    due_at: datetime | None = None
    ahead: Ahead | None = None
    turn: AtHost | None = None
    workers: Serving = Serving()


class Event(Struct, frozen=True, kw_only=True):
    """One thing that has happened to a job, and what the time before it was spent with."""

    event: str
    at: datetime
    after_seconds: float = 0.0
    spent: str | None = None
    sentence: str = ""
    attempt: int | None = None
    lease: int | None = None
    worker: str | None = None
    outcome: str | None = None
    error: JobError | None = None


class LogLine(Struct, frozen=True, kw_only=True):
    """One line that an attempt has logged; the first that is kept may not be number 1."""

    attempt: int
    lease: int
    number: int
    at: datetime
    level: str
    logger: str | None = None
    event: str
    fields: dict[str, Any] = {}


class LogLines(Struct, frozen=True):
    items: tuple[LogLine, ...]


class Timeline(Struct, frozen=True, kw_only=True):
    """What has happened to a job, in order; an event behind `now` is still to come."""

    id: UUID
    state: State
    now: datetime
    phase: str | None = None
    spent_seconds: dict[str, float] = {}
    events: tuple[Event, ...] = ()
    trace_id: str = ""
