"""Unique jobs: which job was the last of a key, so that a second one is answered with the first

One row a key that somebody has asked with; a job that never asks has none.  The row says nothing about the job's state:
that is looked up when the next one asks.  When jobs are deleted their keys go with them, by a trigger a statement, so
that no way to delete a job can forget it; a key that is asked for at this moment is left to whoever asks.

Revision: 0005, after 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FORGET = """
CREATE FUNCTION warren.forget_unique_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM warren.unique_jobs WHERE key IN (
    SELECT u.key FROM warren.unique_jobs u JOIN gone ON gone.id = u.job_id FOR UPDATE OF u SKIP LOCKED);
  RETURN NULL;
END $$
"""

TRIGGER = """
CREATE TRIGGER jobs_forget_unique AFTER DELETE ON warren.jobs REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION warren.forget_unique_jobs()
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "unique_jobs",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        schema="warren",
    )
    op.create_index("unique_jobs_of_job", "unique_jobs", ["job_id"], schema="warren")
    op.execute(FORGET)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DROP TRIGGER jobs_forget_unique ON warren.jobs")
    op.execute("DROP FUNCTION warren.forget_unique_jobs()")
    op.drop_table("unique_jobs", schema="warren")
