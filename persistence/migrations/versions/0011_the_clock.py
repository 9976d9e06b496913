"""The clock: schedules, what became of each of their due times, and backfills

A due time of a schedule is a row's primary key in `schedule_runs`, so whatever two clocks do it has one run, and the id
of its job is derived from the same two values.  `next_due` is what the statement that fires compares and sets; beside
it `next_fire_at` is when that is to happen, and stands only while a schedule is active: its index holds nothing else.
It has the id, so that ten thousand that are due at one instant are read page by page.

No foreign key: a schedule's runs outlive it until retention, and jobs outlive or predecease their runs.

Both tables are changed at their old end all day, so they are vacuumed by number and not by share: a fifth of a million
dead entries at the front of `schedules_due` would be read again at every tick.

Revision: 0011, after 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEDULES = """
CREATE TABLE warren.schedules (
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  job_type text NOT NULL,
  payload bytea NOT NULL,
  priority smallint,
  max_retries integer,
  timeout_seconds double precision,
  tags text[],
  spec json NOT NULL,
  overlap text NOT NULL,
  catch_up text NOT NULL,
  catch_up_window_seconds double precision NOT NULL,
  max_runs integer,
  pause_after_failures integer,
  state text NOT NULL,
  paused_because text,
  paused_by text,
  paused_note text,
  paused_at timestamptz,
  segment smallint NOT NULL,
  next_due timestamptz,
  next_fire_at timestamptz,
  fired integer NOT NULL DEFAULT 0,
  missed integer NOT NULL DEFAULT 0,
  skipped integer NOT NULL DEFAULT 0,
  failures_in_a_row integer NOT NULL DEFAULT 0,
  owner text NOT NULL DEFAULT '',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT schedules_pkey PRIMARY KEY (id)
)
"""

RUNS = """
CREATE TABLE warren.schedule_runs (
  schedule_id uuid NOT NULL,
  due_at timestamptz NOT NULL,
  segment smallint NOT NULL,
  kind text NOT NULL,
  fate text NOT NULL,
  because text,
  job_id uuid,
  fires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  outcome text,
  CONSTRAINT schedule_runs_pkey PRIMARY KEY (schedule_id, due_at)
)
"""

BACKFILLS = """
CREATE TABLE warren.schedule_backfills (
  id uuid NOT NULL,
  schedule_id uuid NOT NULL,
  segment smallint NOT NULL,
  after timestamptz NOT NULL,
  until timestamptz NOT NULL,
  reached timestamptz NOT NULL,
  runs integer NOT NULL,
  made integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  CONSTRAINT schedule_backfills_pkey PRIMARY KEY (id)
)
"""

INDEXES = {
    "schedules_due": "schedules (next_fire_at, id) WHERE next_fire_at IS NOT NULL",
    "schedules_listed": "schedules (created_at, id)",
    "schedules_listed_by_state": "schedules (state, created_at, id)",
    "schedules_listed_by_type": "schedules (job_type, created_at, id)",
    "schedules_named": "schedules (name, created_at, id)",
    "schedules_owned": "schedules (owner) WHERE owner <> ''",
    "schedules_tagged": "schedules USING gin (tags) WHERE tags IS NOT NULL",
    "schedule_runs_open": "schedule_runs (segment, schedule_id, due_at) WHERE fate = 'fired' AND ended_at IS NULL",
    "schedule_runs_buffered": "schedule_runs (segment, schedule_id, due_at) WHERE fate = 'buffered'",
    "schedule_runs_of_job": "schedule_runs (job_id) WHERE job_id IS NOT NULL",
    "schedule_runs_aged": "schedule_runs (created_at, schedule_id, due_at)",
    "schedule_backfills_open": "schedule_backfills (segment, id) WHERE finished_at IS NULL",
    "schedule_backfills_listed": "schedule_backfills (schedule_id, created_at)",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for table in (SCHEDULES, RUNS, BACKFILLS):
        op.execute(table)
    for name, of in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON warren.{of}")
    for table in ("schedules", "schedule_runs"):
        op.execute(
            f"ALTER TABLE warren.{table} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for table in ("schedule_backfills", "schedule_runs", "schedules"):
        op.execute(f"DROP TABLE warren.{table}")
