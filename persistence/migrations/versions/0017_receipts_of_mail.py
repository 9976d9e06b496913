"""Receipts of mail: for whom a server has taken it, which the attempts after this one must not send it to

A row for each mail of a job, written as soon as the server has said yes; it goes some time after its job.

Revision: 0017, after 0016
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

RECEIPTS = """
CREATE TABLE warren.receipts (
  job_id uuid NOT NULL,
  mail text NOT NULL,
  accepted text[] NOT NULL,
  looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT receipts_pkey PRIMARY KEY (job_id, mail)
)
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(RECEIPTS)
    op.execute("CREATE INDEX receipts_looked_at ON warren.receipts (looked_at)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DROP TABLE warren.receipts")
