"""Frontiers: what a job that follows links knows of, and how far it has come

A row for each job, which says whose attempt may write and how much has been found, and one for each address.  Addresses
are ordered as they were found; the index of what is waiting is what the next one is taken from.

Revision: 0015, after 0014
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

FRONTIERS = """
CREATE TABLE warren.frontiers (
  job_id uuid NOT NULL,
  lease integer NOT NULL,
  found integer NOT NULL DEFAULT 0,
  documents integer NOT NULL DEFAULT 0,
  capped boolean NOT NULL DEFAULT false,
  looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT frontiers_pkey PRIMARY KEY (job_id)
)
"""

ADDRESSES = """
CREATE TABLE warren.frontier_addresses (
  job_id uuid NOT NULL,
  ordinal integer NOT NULL,
  address_id uuid NOT NULL,
  url text NOT NULL,
  kind text NOT NULL,
  depth smallint NOT NULL,
  state text NOT NULL,
  tries smallint NOT NULL DEFAULT 0,
  told json,
  CONSTRAINT frontier_addresses_pkey PRIMARY KEY (job_id, ordinal)
)
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(FRONTIERS)
    op.execute(ADDRESSES)
    op.execute("CREATE INDEX frontiers_looked_at ON warren.frontiers (looked_at)")
    op.execute("CREATE UNIQUE INDEX frontier_addresses_once ON warren.frontier_addresses (job_id, address_id)")
    op.execute(
        "CREATE INDEX frontier_addresses_next ON warren.frontier_addresses (job_id, tries, ordinal)"
        " WHERE state = 'waiting'"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DROP TABLE warren.frontier_addresses")
    op.execute("DROP TABLE warren.frontiers")
