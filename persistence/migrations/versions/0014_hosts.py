"""Hosts and the turns at them: politeness that all processes share

A row a host says when the next request may begin; a row in `host_turns` is a job that has a turn or stands in line for
one.  Both are changed under the lock of the host's row.  The line is read at its head only, by an index that holds
nothing else, however long it is.

Turns live for seconds: without the settings below their dead rows would be read again at every look at a line.

Revision: 0014, after 0013
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

HOSTS = """
CREATE TABLE warren.hosts (
  host text NOT NULL,
  delay_seconds double precision NOT NULL,
  slowed_seconds double precision NOT NULL DEFAULT 0,
  takes_seconds double precision NOT NULL DEFAULT 0,
  concurrency integer NOT NULL,
  next_at timestamptz NOT NULL,
  visited_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  robots text,
  robots_fault text,
  robots_until timestamptz,
  CONSTRAINT hosts_pkey PRIMARY KEY (host)
) WITH (fillfactor = 50)
"""

TURNS = """
CREATE TABLE warren.host_turns (
  host text NOT NULL,
  job_id uuid NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  lease integer NOT NULL,
  priority smallint NOT NULL,
  in_place boolean NOT NULL,
  under_way boolean NOT NULL DEFAULT false,
  starts_at timestamptz,
  until timestamptz,
  CONSTRAINT host_turns_pkey PRIMARY KEY (host, job_id)
)
"""

INDEXES = {
    "hosts_visited": "hosts (visited_at)",
    "host_turns_in_line": "host_turns (host, in_place DESC, priority DESC, seq) WHERE until IS NULL",
    "host_turns_taken": "host_turns (host, until) WHERE until IS NOT NULL",
    "host_turns_of_job": "host_turns (job_id)",
}

SHORT_LIVED = """
ALTER TABLE warren.{table} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                                autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000)
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for table in (HOSTS, TURNS):
        op.execute(table)
    for name, of in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON warren.{of}")
    for table in ("hosts", "host_turns"):
        op.execute(SHORT_LIVED.format(table=table))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for table in ("host_turns", "hosts"):
        op.execute(f"DROP TABLE warren.{table}")
