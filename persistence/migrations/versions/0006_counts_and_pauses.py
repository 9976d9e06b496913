"""Counts by appended deltas, and what is paused

How many jobs there are of each state, type, queue and priority is asked often and would cost a walk over all of them
(190 ms at a million).  So each statement that changes jobs appends what it changed to `job_deltas`, by a trigger once a
statement: an insert collides with nobody, whatever the isolation level.  The scheduler folds the deltas into
`job_counts`; the sum of both is exact in every snapshot.  Dead letters are counted in the same way.  The first count is
taken here, while the lock of CREATE TRIGGER keeps writers out: a third of a second a million jobs.

`pauses` says which queues and job types stand still, since when, by whom and why.  A message of a paused type waits in
the outbox under `held_for`.  A worker says what it runs as and which queues it does not consume, and can be asked to
end.

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Of one counted table: the trigger's function and its triggers.  A statement that changed nothing that is counted (or
# no row at all) appends nothing.
COUNT = """
CREATE FUNCTION warren.count_{counted}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO warren.{one}_deltas ({keys}, {counted})
    SELECT {keys}, sum(n) FROM (
      SELECT {values}, 1 AS n FROM now_so UNION ALL SELECT {values}, -1 FROM once_so) changed ({keys}, n)
     GROUP BY {keys} HAVING sum(n) <> 0;
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO warren.{one}_deltas ({keys}, {counted})
    SELECT {keys}, count(*) FROM (SELECT {values} FROM now_so) came ({keys}) GROUP BY {keys};
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO warren.{one}_deltas ({keys}, {counted})
    SELECT {keys}, -count(*) FROM (SELECT {values} FROM once_so) gone ({keys}) GROUP BY {keys};
  ELSE
    TRUNCATE warren.{one}_deltas, warren.{one}_counts;  -- waits for who folds them
  END IF;
  RETURN NULL;
END $$
"""

FIRST_COUNT = """
INSERT INTO warren.{one}_counts ({keys}, {counted}) SELECT {values}, count(*) FROM warren.{table} GROUP BY {values}
"""

TRIGGERS = {
    "INSERT": "REFERENCING NEW TABLE AS now_so",
    "UPDATE": "REFERENCING OLD TABLE AS once_so NEW TABLE AS now_so",
    "DELETE": "REFERENCING OLD TABLE AS once_so",
    "TRUNCATE": "",
}

# the counted table, what one of its rows is called, and by what it is counted: column and value
COUNTED = {
    "jobs": ("job", "jobs", {"state": "state", "type": "type", "queue": "queue", "priority": "priority"}),
    "dead_letters": ("letter", "letters", {"reason": "reason", "redriven": "redriven_at IS NOT NULL"}),
}

# Deltas live for a second: without this their dead rows would be read again and again until a fifth of a table is dead.
SHORT_LIVED = """
ALTER TABLE warren.{table} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                                autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000)
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    _counts_up()
    _pauses_up()


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    _pauses_down()
    _counts_down()


def _counts_up() -> None:
    for kind in ("deltas", "counts"):
        primary = kind == "counts"
        op.create_table(
            f"job_{kind}",
            sa.Column("state", sa.Text(), nullable=False, primary_key=primary),
            sa.Column("type", sa.Text(), nullable=False, primary_key=primary),
            sa.Column("queue", sa.Text(), nullable=False, primary_key=primary),
            sa.Column("priority", sa.SmallInteger(), nullable=False, primary_key=primary, autoincrement=False),
            sa.Column("jobs", sa.BigInteger(), nullable=False),
            schema="warren",
        )
        op.create_table(
            f"letter_{kind}",
            sa.Column("reason", sa.Text(), nullable=False, primary_key=primary),
            sa.Column("redriven", sa.Boolean(), nullable=False, primary_key=primary),
            sa.Column("letters", sa.BigInteger(), nullable=False),
            schema="warren",
        )
    for table, (one, counted, keys) in COUNTED.items():
        op.execute(SHORT_LIVED.format(table=f"{one}_deltas"))
        names, values = ", ".join(keys), ", ".join(keys.values())
        op.execute(COUNT.format(one=one, counted=counted, keys=names, values=values))
        for event, tables in TRIGGERS.items():
            op.execute(
                f"CREATE TRIGGER count_{counted}_at_{event.lower()} AFTER {event} ON warren.{table} {tables} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION warren.count_{counted}()"
            )
        op.execute(FIRST_COUNT.format(one=one, counted=counted, keys=names, values=values, table=table))


def _counts_down() -> None:
    for table, (one, counted, _) in COUNTED.items():
        for event in TRIGGERS:
            op.execute(f"DROP TRIGGER count_{counted}_at_{event.lower()} ON warren.{table}")
        op.execute(f"DROP FUNCTION warren.count_{counted}()")
        for kind in ("deltas", "counts"):
            op.drop_table(f"{one}_{kind}", schema="warren")


def _pauses_up() -> None:
    op.create_table(
        "pauses",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "name"),
        schema="warren",
    )
    op.add_column("outbox", sa.Column("held_for", sa.Text()), schema="warren")
    op.create_index(
        "outbox_held",
        "outbox",
        ["held_for", "seq"],
        schema="warren",
        postgresql_where=sa.text("held_for IS NOT NULL"),
    )
    op.add_column("workers", sa.Column("version", sa.Text(), server_default="", nullable=False), schema="warren")
    op.add_column(
        "workers", sa.Column("paused", sa.ARRAY(sa.Text()), server_default="{}", nullable=False), schema="warren"
    )
    op.add_column("workers", sa.Column("drain_requested_at", sa.DateTime(timezone=True)), schema="warren")


def _pauses_down() -> None:
    for name in ("version", "paused", "drain_requested_at"):
        op.drop_column("workers", name, schema="warren")
    # what is held would else never be sent: its type is paused for nobody who comes after
    op.execute("UPDATE warren.outbox SET publish_after = clock_timestamp() WHERE held_for IS NOT NULL")
    op.drop_index("outbox_held", table_name="outbox", schema="warren")
    op.drop_column("outbox", "held_for", schema="warren")
    op.drop_table("pauses", schema="warren")
