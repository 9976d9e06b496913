"""What the gateway answers about schedules, as a program reads it; by the same rules as replies.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from wire.states import State


class Run(Struct, frozen=True, kw_only=True):
    """One due time of a schedule; only what is `fired` has a job, whose state it tells."""

    due_at: datetime
    fires_at: datetime
    kind: str
    fate: str
    because: str | None = None
    job_id: UUID | None = None
    state: State | None = None
    created_at: datetime
    ended_at: datetime | None = None


class RunPage(Struct, frozen=True):
    """Some runs, newest due time first; `next_cursor` asks for the next ones."""

    items: tuple[Run, ...]
    next_cursor: str | None = None


class ScheduleWhy(Struct, frozen=True):
    """Why a schedule fires, or does not."""

    cause: str
    sentence: str


class Schedule(Struct, frozen=True, kw_only=True):
    """A schedule as it stands; what is None of a job's fields is its type's own."""

    id: UUID
    name: str
    description: str = ""
    job_type: str
    payload: Any
    priority: int | None = None
    max_retries: int | None = None
    timeout_seconds: float | None = None
    tags: tuple[str, ...] = ()
    cron_expression: str | tuple[str, ...] | None = None
    interval_seconds: float | None = None
    once_at: datetime | None = None
    timezone: str = "UTC"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    max_runs: int | None = None
    exclude: tuple[str, ...] = ()
    jitter_seconds: float = 0.0
    spread_seconds: float = 0.0
    dst_gap: str = "shift"
    dst_overlap: str = "first"
    overlap: str = "skip"
    catch_up: str = "latest"
    catch_up_window_seconds: float = 0.0
    pause_after_failures: int | None = None
    state: str
    why: ScheduleWhy
    next_run_time: datetime | None = None
    next_due_at: datetime | None = None
    last_run: Run | None = None
    fired_count: int = 0
    missed_count: int = 0
    skipped_count: int = 0
    failures_in_a_row: int = 0
    paused_at: datetime | None = None
    paused_because: str | None = None
    paused_by: str | None = None
    paused_note: str | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime
    duplicate: bool = False  # it had been made before


class SchedulePage(Struct, frozen=True):
    """Some schedules, newest first; `next_cursor` asks for the next ones."""

    items: tuple[Schedule, ...]
    next_cursor: str | None = None


class ComingRun(Struct, frozen=True):
    """One due time to come, in UTC and in the schedule's zone."""

    due_at: datetime
    local: str
    fires_at: datetime | None = None


class Preview(Struct, frozen=True):
    """When a schedule will be due."""

    sentence: str
    timezone: str
    items: tuple[ComingRun, ...]
    more: bool = False
    warnings: tuple[str, ...] = ()
