"""A schedule and its runs, in words and rows: what the rest of this package takes and returns.

A `Plan` is what a person says and may say anew; a `Schedule` is a plan with what has become of it.  When a plan is due
is told by wire/times: here it is JSON, carried and never read, so that one that nobody can read spoils no list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from persistence.store.database import Row
from wire.identity import id_from_key
from wire.segments import SEGMENTS

NEWS: Final = "pg_notify('warren_schedules', '')"  # sent at the commit, once; see listen.py


class Overlap(StrEnum):
    """What a due time does that finds the previous run still open."""

    ALLOW = "allow"
    SKIP = "skip"
    BUFFER_ONE = "buffer_one"  # one waits for the end; while it waits, others are skipped
    BUFFER_ALL = "buffer_all"
    CANCEL_PREVIOUS = "cancel_previous"  # it is asked to end, and the new one does not wait for that


class CatchUp(StrEnum):
    """What happens to due times that passed while no clock ran."""

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


class Standing(StrEnum):
    """Where a schedule stands; what is over stays `ended` until it is edited."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class PausedBecause(StrEnum):
    PERSON = "person"
    FAILURES = "failures"  # so many runs in a row
    UNREADABLE = "unreadable"  # nobody can tell when it is due


class Kind(StrEnum):
    """Who made a run."""

    DUE = "due"
    CAUGHT_UP = "caught_up"
    TRIGGERED = "triggered"
    BACKFILL = "backfill"


class Fate(StrEnum):
    """What became of a due time; only what is fired has a job."""

    FIRED = "fired"
    SKIPPED = "skipped"
    BUFFERED = "buffered"  # it waits for the end of a run before it
    MISSED = "missed"  # no clock ran; one row may stand for a stretch of due times


class Because(StrEnum):
    """Why a run has no job."""

    OVERLAP = "overlap"
    ONE_WAITS = "one_waits"  # `buffer_one`, and another waits already
    TYPE_UNKNOWN = "type_unknown"  # no worker has ever registered it
    UNSTORABLE = "unstorable"  # Postgres refused the row
    NO_CLOCK = "no_clock"
    OVER = "over"  # it waited, and meanwhile the schedule had all its runs, or was deleted


class Next(NamedTuple):
    """The next due time and when it is to fire; nothing and nothing when there is none."""

    due_at: datetime | None = None
    fires_at: datetime | None = None


NEVER: Final = Next()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person says of a schedule; None means the job type's own default, or no limit."""

    name: str
    job_type: str
    payload: bytes  # the JSON bytes as they were sent
    spec: str  # wire/times/spec.py's When, as JSON text
    description: str = ""
    priority: int | None = None
    max_retries: int | None = None
    timeout_seconds: float | None = None
    tags: tuple[str, ...] = ()
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.LATEST
    catch_up_window_seconds: float = 86_400.0
    max_runs: int | None = None
    pause_after_failures: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as it stands."""

    id: UUID
    plan: Plan
    state: Standing
    segment: int
    next: Next
    version: int
    created_at: datetime
    updated_at: datetime
    owner: str = ""
    paused_because: PausedBecause | None = None
    paused_by: str | None = None  # who; None where the clock did it
    paused_note: str | None = None
    paused_at: datetime | None = None
    fired: int = 0  # by the clock; what a person triggers or backfills is not counted, here and in max_runs
    missed: int = 0
    skipped: int = 0
    failures_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One due time of a schedule and what became of it."""

    schedule_id: UUID
    due_at: datetime
    kind: Kind
    fate: Fate
    because: str | None  # a word of Because; of a missed stretch, how many there were and since when
    job_id: UUID | None
    fires_at: datetime
    created_at: datetime
    ended_at: datetime | None
    outcome: str | None  # the state in which its job ended
    job_state: str | None = None  # None when it has no job, or its job has been forgotten


def segment_of(schedule_id: UUID) -> int:
    """Which part of all schedules it belongs to; spread evenly, whatever ids people choose."""
    return hashlib.sha256(schedule_id.bytes).digest()[0] % SEGMENTS


def job_id_of(schedule_id: UUID, due_at: datetime) -> UUID:
    """The job of a due time: the same for everybody, so that there cannot be two."""
    return id_from_key(f"schedule {schedule_id}", f"{due_at.timestamp():.6f}")


PLAN_COLUMNS: Final = (
    "name", "job_type", "payload", "spec", "description", "priority", "max_retries", "timeout_seconds", "tags",
    "overlap", "catch_up", "catch_up_window_seconds", "max_runs", "pause_after_failures",
)  # fmt: skip
_STANDING_COLUMNS: Final = (
    "segment", "version", "created_at", "updated_at", "owner", "paused_by", "paused_note", "paused_at", "fired",
    "missed", "skipped", "failures_in_a_row",
)  # fmt: skip
COLUMNS: Final = ", ".join(
    f"s.{name}" for name in ("id", *PLAN_COLUMNS, "state", "paused_because", "next_due", "next_fire_at",
                             *_STANDING_COLUMNS)
)  # fmt: skip


def plan_values(plan: Plan) -> list[object]:
    """In the order of PLAN_COLUMNS."""
    plain = [getattr(plan, name) for name in PLAN_COLUMNS]
    return [list(value) or None if isinstance(value, tuple) else value for value in plain]


def schedule_of(row: Row) -> Schedule:
    said = {name: row[name] for name in PLAN_COLUMNS} | {
        "tags": tuple(row["tags"] or ()),
        "overlap": Overlap(row["overlap"]),
        "catch_up": CatchUp(row["catch_up"]),
    }
    because = row["paused_because"]
    return Schedule(
        id=row["id"],
        plan=Plan(**said),
        state=Standing(row["state"]),
        next=Next(row["next_due"], row["next_fire_at"]),
        paused_because=PausedBecause(because) if because else None,
        **{name: row[name] for name in _STANDING_COLUMNS},
    )


_RUN_COLUMNS: Final = (
    "schedule_id", "due_at", "because", "job_id", "fires_at", "created_at", "ended_at", "outcome",
)  # fmt: skip
RUN_COLUMNS: Final = ", ".join(f"r.{name}" for name in ("kind", "fate", *_RUN_COLUMNS))


def run_of(row: Row) -> Run:
    plain = {name: row[name] for name in _RUN_COLUMNS}
    return Run(**plain, kind=Kind(row["kind"]), fate=Fate(row["fate"]), job_state=row.get("job_state"))


def first_of(rows: Sequence[Row]) -> Schedule | None:
    return schedule_of(rows[0]) if rows else None
