"""Where a trace begins in SQL

`warren.submit` without a `traceparent` made up a trace whose root had an id that nothing else knew, so that whoever
published the job's first message could not tell it from the place of a caller, and recorded a child of a span that
nobody ever sent.  Now the root's id is the first half of the trace's, as it is wherever else a trace begins
(wire/tracing.py), and the publish is that root.

The halves of the UUID change places: the second half is what a sampler by ratio looks at, and in a UUID its first bits
are always the same.

Revision: 0009, after 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SUBMIT = "warren.submit(text,json,int,int,float8,timestamptz,interval,timestamptz,text[],text,text,uuid)"
BEFORE = """concat('00-', replace(gen_random_uuid()::text, '-', ''), '-',
                             right(replace(gen_random_uuid()::text, '-', ''), 16), '-01')"""
AFTER = """(SELECT concat('00-', right(u, 16), left(u, 16), '-', right(u, 16), '-01')
                                FROM replace(gen_random_uuid()::text, '-', '') AS u)"""
REWRITE = """
DO $rewrite$
DECLARE
  known CONSTANT text := pg_get_functiondef('{submit}'::regprocedure);
  wanted CONSTANT text := replace(known, $before${before}$before$, $after${after}$after$);
BEGIN
  IF known = wanted THEN
    RAISE EXCEPTION 'warren.submit is not as migration 0003 made it';
  END IF;
  EXECUTE wanted;
END $rewrite$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(REWRITE.format(submit=SUBMIT, before=BEFORE, after=AFTER))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(REWRITE.format(submit=SUBMIT, before=AFTER, after=BEFORE))
