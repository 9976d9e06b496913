"""What the gateway answers, as a program reads it.

A younger gateway may say more, and an older one less: what is unknown is passed over, and what may be missing has a
default.  A test holds these names and those in gateway/answers.py together.
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
    trace_id: str = ""

    @property
    def finished(self) -> bool:
        return self.state in FINAL


class Page(Struct, frozen=True):
    """Some jobs, newest first; `next_cursor` asks for the next ones."""

    items: tuple[Job, ...]
    next_cursor: str | None = None


class Problem(Struct, frozen=True):
    """Why something was refused, as the gateway writes it (gateway/problems.py)."""

    type: str = ""
    detail: str = ""
    field: str = ""
    remedy: str = ""


class Item(Struct, frozen=True):
    """What became of one job of many."""

    status: Literal["accepted", "duplicate", "invalid"]
    id: UUID | None = None
    problem: Problem | None = None
