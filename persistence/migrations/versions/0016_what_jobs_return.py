"""What jobs return: a type says the shape of its results beside that of its payloads

A worker of before registers its types without it; what stands there stays until a worker that knows it boots.

Revision: 0016, after 0015
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("ALTER TABLE warren.job_types ADD COLUMN result_schema json")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("ALTER TABLE warren.job_types DROP COLUMN result_schema")
