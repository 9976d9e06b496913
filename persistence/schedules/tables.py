"""The tables of the clock, as SQLAlchemy sees them.

A run's primary key is its schedule and its due time, so that there cannot be two; its job's id is derived from both.
No foreign key: a schedule's runs outlive it until retention, and no job waits for a run.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY, JSON, UUID

from persistence.tables import metadata, since, time

# What is to be done, when, and how it behaves; `spec` is wire/times/spec.py's When, as JSON.
schedules = Table(
    "schedules",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("job_type", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("priority", SmallInteger),
    Column("max_retries", Integer),
    Column("timeout_seconds", Double),
    Column("tags", ARRAY(Text)),
    Column("spec", JSON, nullable=False),
    Column("overlap", Text, nullable=False),
    Column("catch_up", Text, nullable=False),
    Column("catch_up_window_seconds", Double, nullable=False),
    Column("max_runs", Integer),
    Column("pause_after_failures", Integer),
    Column("state", Text, nullable=False),
    Column("paused_because", Text),
    Column("paused_by", Text),
    Column("paused_note", Text),
    time("paused_at"),
    Column("segment", SmallInteger, nullable=False),
    time("next_due"),  # what the statement that fires compares; with next_fire_at it is null unless active
    time("next_fire_at"),
    *[Column(name, Integer, nullable=False, server_default="0") for name in ("fired", "missed", "skipped")],
    Column("failures_in_a_row", Integer, nullable=False, server_default="0"),
    Column("owner", Text, nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default="1"),
    since(),
    since("updated_at"),
    Index("schedules_due", "next_fire_at", "id", postgresql_where=text("next_fire_at IS NOT NULL")),
    Index("schedules_listed", "created_at", "id"),
    Index("schedules_listed_by_state", "state", "created_at", "id"),
    Index("schedules_listed_by_type", "job_type", "created_at", "id"),
    Index("schedules_named", "name", "created_at", "id"),
    Index("schedules_owned", "owner", postgresql_where=text("owner <> ''")),
    Index("schedules_tagged", "tags", postgresql_using="gin", postgresql_where=text("tags IS NOT NULL")),
)

# One due time of a schedule and what became of it.
schedule_runs = Table(
    "schedule_runs",
    metadata,
    Column("schedule_id", UUID, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("segment", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fate", Text, nullable=False),
    Column("because", Text),
    Column("job_id", UUID),
    time("fires_at", required=True),
    since(),
    time("ended_at"),
    Column("outcome", Text),
    PrimaryKeyConstraint("schedule_id", "due_at", name="schedule_runs_pkey"),
    Index(
        "schedule_runs_open",
        "segment",
        "schedule_id",
        "due_at",
        postgresql_where=text("fate = 'fired' AND ended_at IS NULL"),
    ),
    Index("schedule_runs_buffered", "segment", "schedule_id", "due_at", postgresql_where=text("fate = 'buffered'")),
    Index("schedule_runs_of_job", "job_id", postgresql_where=text("job_id IS NOT NULL")),
    Index("schedule_runs_aged", "created_at", "schedule_id", "due_at"),
)

# One row a past range that somebody wants to be run: `reached` is how far that is.
schedule_backfills = Table(
    "schedule_backfills",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("schedule_id", UUID, nullable=False),
    Column("segment", SmallInteger, nullable=False),
    time("after", required=True),
    time("until", required=True),
    time("reached", required=True),
    Column("runs", Integer, nullable=False),
    Column("made", Integer, nullable=False, server_default="0"),
    since(),
    time("finished_at"),
    Index("schedule_backfills_open", "segment", "id", postgresql_where=text("finished_at IS NULL")),
    Index("schedule_backfills_listed", "schedule_id", "created_at"),
)
