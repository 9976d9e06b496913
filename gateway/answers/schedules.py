"""What the routes of schedules answer, as structs.

Field names are those that a client sends, so that what was read can be sent again after an edit of its own fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from gateway.answers.jobs import JOBS
from gateway.entrance.cursor import Cursor
from gateway.schedules import preview as preview_
from gateway.schedules.standing import ScheduleCause, Told
from persistence.schedules import schedule as kept
from persistence.schedules.schedule import CatchUp, Fate, Kind, Overlap, PausedBecause, Standing
from wire.states import State
from wire.times import zones
from wire.times.spec import said
from wire.times.when import Gap, When
from wire.times.when import Overlap as Twice

SCHEDULES: Final = "/api/v1/schedules"


class Run(Struct, frozen=True):
    """One due time of a schedule and what became of it."""

    due_at: Annotated[datetime, Meta(description="The instant that the schedule names")]
    fires_at: Annotated[datetime, Meta(description="The same with its spread and jitter")]
    kind: Annotated[Kind, Meta(description="Who made it")]
    fate: Annotated[Fate, Meta(description="Only what is `fired` has a job")]
    because: Annotated[str | None, Meta(description="Why it has none")]
    job_id: UUID | None
    state: Annotated[State | None, Meta(description="Of its job as it stands, or as it ended; null: it has none")]
    created_at: datetime
    ended_at: datetime | None
    link: Annotated[str | None, Meta(description="Its job")]


class RunList(Struct, frozen=True):
    items: list[Run]
    next_cursor: Cursor


class ScheduleWhy(Struct, frozen=True):
    """Why it fires, or does not."""

    cause: Annotated[ScheduleCause, Meta(description="For programs")]
    sentence: Annotated[str, Meta(description="For people; its words may change")]


class ScheduleLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    runs: str
    preview: str


class Schedule(Struct, frozen=True):
    """A schedule as it stands."""

    id: UUID
    name: str
    description: str
    job_type: str
    payload: Annotated[Raw, Meta(description="As it was sent, byte for byte")]
    priority: Annotated[int | None, Meta(description="null: the job type's own")]
    max_retries: Annotated[int | None, Meta(description="null: the job type's own")]
    timeout_seconds: Annotated[float | None, Meta(description="null: the job type's own")]
    tags: tuple[str, ...]
    cron_expression: Annotated[str | tuple[str, ...] | None, Meta(description="One, or several")]
    interval_seconds: float | None
    once_at: datetime | None
    timezone: str
    starts_at: datetime | None
    ends_at: datetime | None
    max_runs: int | None
    exclude: tuple[str, ...]
    jitter_seconds: float
    spread_seconds: float
    dst_gap: Gap
    dst_overlap: Twice
    overlap: Overlap
    catch_up: CatchUp
    catch_up_window_seconds: float
    pause_after_failures: int | None
    state: Standing
    why: ScheduleWhy
    next_run_time: Annotated[datetime | None, Meta(description="When it fires next; null: not before it is changed")]
    next_due_at: Annotated[datetime | None, Meta(description="The same without spread and jitter")]
    last_run: Run | None
    fired_count: Annotated[int, Meta(description="Runs that the clock has made")]
    missed_count: Annotated[int, Meta(description="Due times that passed while no clock ran")]
    skipped_count: int
    failures_in_a_row: int
    paused_at: datetime | None
    paused_because: PausedBecause | None
    paused_by: Annotated[str | None, Meta(description="Who asked; null: the clock has")]
    paused_note: str | None
    version: Annotated[int, Meta(description="Changes with each edit; send it as If-Match")]
    created_at: datetime
    updated_at: datetime
    links: ScheduleLinks
    duplicate: Annotated[bool | UnsetType, Meta(description="true if this schedule had been made before")] = UNSET


class ScheduleList(Struct, frozen=True):
    items: list[Schedule]
    next_cursor: Cursor


class ComingRun(Struct, frozen=True):
    """One due time to come."""

    due_at: Annotated[datetime, Meta(description="In UTC")]
    local: Annotated[str, Meta(description="The same in the schedule's zone")]
    fires_at: Annotated[datetime | None, Meta(description="With spread and jitter; null: the schedule is not saved")]


class Preview(Struct, frozen=True):
    """When a schedule will be due."""

    sentence: str
    timezone: str
    items: list[ComingRun]
    more: Annotated[bool, Meta(description="false: nothing is due after these")]
    warnings: Annotated[list[str], Meta(description="What the clock change does to these")]


class Changed(Struct, frozen=True):
    """How many schedules were changed."""

    changed: int


class Backfill(Struct, frozen=True):
    """What a backfill makes."""

    since: datetime
    until: datetime
    runs: Annotated[int, Meta(description="Due times of the range that have no run yet")]
    dry_run: bool


def schedule(
    found: kept.Schedule, when: When | None, why: Told, last_run: kept.Run | None, *, duplicate: bool = False
) -> Schedule:
    plan, timing = found.plan, When() if when is None else when
    path = f"{SCHEDULES}/{found.id}"
    own = {name: getattr(plan, name) for name in _OF_PLAN}
    return Schedule(
        id=found.id,
        payload=Raw(plan.payload),
        cron_expression=said(timing).get("cron_expression"),
        **own,
        **{name: getattr(timing, name) for name in _OF_WHEN},
        state=found.state,
        why=ScheduleWhy(why.cause, why.sentence),
        next_run_time=found.next.fires_at,
        next_due_at=found.next.due_at,
        last_run=None if last_run is None else run(last_run),
        fired_count=found.fired,
        missed_count=found.missed,
        skipped_count=found.skipped,
        **{name: getattr(found, name) for name in _OF_SCHEDULE},
        links=ScheduleLinks(path, f"{path}/runs", f"{path}/preview"),
        duplicate=True if duplicate else UNSET,
    )


def run(found: kept.Run) -> Run:
    state = found.job_state or found.outcome
    return Run(
        due_at=found.due_at,
        fires_at=found.fires_at,
        kind=found.kind,
        fate=found.fate,
        because=found.because,
        job_id=found.job_id,
        state=State(state) if state else None,
        created_at=found.created_at,
        ended_at=found.ended_at,
        link=f"{JOBS}/{found.job_id}" if found.job_id else None,
    )


def preview(found: preview_.Preview) -> Preview:
    place = zones.zone(found.when.timezone)
    items = [
        ComingRun(due, due.astimezone(place).isoformat(), None if delay is None else due + delay)
        for due, delay in zip(found.dues, found.delays, strict=True)
    ]
    return Preview(found.sentence, found.when.timezone, items, found.more, found.warnings)


def runs(found: Sequence[kept.Run], next_cursor: str | None) -> RunList:
    return RunList([run(one) for one in found], next_cursor)


_OF_PLAN: Final = (
    "name", "description", "job_type", "priority", "max_retries", "timeout_seconds", "tags", "max_runs", "overlap",
    "catch_up", "catch_up_window_seconds", "pause_after_failures",
)  # fmt: skip
_OF_WHEN: Final = (
    "interval_seconds", "once_at", "timezone", "starts_at", "ends_at", "exclude", "jitter_seconds", "spread_seconds",
    "dst_gap", "dst_overlap",
)  # fmt: skip
_OF_SCHEDULE: Final = (
    "failures_in_a_row", "paused_at", "paused_because", "paused_by", "paused_note", "version", "created_at",
    "updated_at",
)  # fmt: skip
