"""How many jobs retention has forgotten: by the hour in which they came, their type, how they ended, how long they ran

A completed job is kept for a day and a failed one for two weeks, so that whoever counted the jobs of last week found a
day's successes and a week's failures.  Retention now counts what it deletes, in the statement that deletes it.  A
scheduler of before goes on deleting without counting.

Revision: 0018, after 0017
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("""
CREATE TABLE warren.forgotten_jobs (
  hour timestamptz NOT NULL, type text NOT NULL, state text NOT NULL, ran_class smallint NOT NULL,
  jobs bigint NOT NULL, retries bigint NOT NULL, longest double precision,
  CONSTRAINT forgotten_jobs_pkey PRIMARY KEY (hour, type, state, ran_class)
)""")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DROP TABLE warren.forgotten_jobs")
