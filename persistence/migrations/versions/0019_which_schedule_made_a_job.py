"""Which schedule made a job: a list of a schedule's jobs is read by an index

A job's body has always said it, and nothing can look for what stands there.  The statements of the clock write it
beside the row; the other doors have no schedule and pay nothing, nor does the index know their jobs.  A scheduler of
before goes on without it.  Jobs of before keep the empty column, so that no table is rewritten: each still tells its
schedule, and the schedule's runs still name it.

Revision: 0019, after 0018
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("ALTER TABLE warren.jobs ADD COLUMN schedule_id uuid")
    op.execute("""
CREATE INDEX jobs_of_schedule ON warren.jobs (schedule_id, created_at, id) WHERE schedule_id IS NOT NULL
""")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DROP INDEX warren.jobs_of_schedule")
    op.execute("ALTER TABLE warren.jobs DROP COLUMN schedule_id")
