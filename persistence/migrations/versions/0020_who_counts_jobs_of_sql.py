"""Who counts the jobs of the SQL door

Every other door counts in the process that it is, and `warren.submit` runs in somebody else's.  So the row that it
leaves in the outbox says that nobody has counted its job yet, and the scheduler that leases it first, to publish it,
counts it and takes the mark off in the same statement.  A scheduler of before leaves both as they are.

Revision: 0020, after 0019
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SUBMIT = "warren.submit(text,json,int,int,float8,timestamptz,interval,timestamptz,text[],text,text,uuid)"
BEFORE = "INSERT INTO outbox (job_id, run, due_at, publish_after) VALUES (job, 1, starts_at, clock_timestamp());"
AFTER = (
    "INSERT INTO outbox (job_id, run, due_at, publish_after, uncounted) "
    "VALUES (job, 1, starts_at, clock_timestamp(), true);"
)
REWRITE = """
DO $rewrite$
DECLARE
  known CONSTANT text := pg_get_functiondef('{submit}'::regprocedure);
  wanted CONSTANT text := replace(known, $before${before}$before$, $after${after}$after$);
BEGIN
  IF known = wanted THEN
    RAISE EXCEPTION 'warren.submit is not as migration 0009 made it';
  END IF;
  EXECUTE wanted;
END $rewrite$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("ALTER TABLE warren.outbox ADD COLUMN uncounted boolean")
    op.execute(REWRITE.format(submit=SUBMIT, before=BEFORE, after=AFTER))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(REWRITE.format(submit=SUBMIT, before=AFTER, after=BEFORE))
    op.execute("ALTER TABLE warren.outbox DROP COLUMN uncounted")
