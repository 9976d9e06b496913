"""What an attempt logs while it runs is kept with it: `attempt_logs`, a row for the lines between two writes.

Deleted with the attempts of its job.  A job that logs nothing has no row here, and none of its statements looks here
but the one that deletes it.

Revision: 0010, after 0009
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(
        """
        CREATE TABLE warren.attempt_logs (
          job_id uuid NOT NULL,
          lease integer NOT NULL,
          first integer NOT NULL,
          attempt integer NOT NULL,
          last integer NOT NULL,
          kept_from integer NOT NULL,
          lines text NOT NULL,
          CONSTRAINT attempt_logs_pkey PRIMARY KEY (job_id, lease, first)
        )
        """
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DROP TABLE warren.attempt_logs")
