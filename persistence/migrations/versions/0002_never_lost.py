"""Never lost: what rescue, redrive and cancel have to remember

A dead letter keeps when and as which job it was redriven, and a redrive by filter is a row, so that another gateway
takes it up after a crash.

A job remembers that its worker was lost, when its message was last sent late, how often it was rescued and how often it
alone stopped a process; a worker says what it holds back and since when it beats without a gap; a queue remembers up to
which due time its jobs have started.  `jobs_waiting` serves the rescue: which jobs of a queue and a priority have been
due the longest.

Revision: 0002, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    _redrive_up()
    _rescue_up()


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    _rescue_down()
    _redrive_down()


def _redrive_up() -> None:
    op.add_column("dead_letters", sa.Column("redriven_at", sa.DateTime(timezone=True)), schema="warren")
    op.add_column("dead_letters", sa.Column("redriven_as", sa.UUID()), schema="warren")
    op.create_index("dead_letters_of_cause", "dead_letters", ["fingerprint", "id"], schema="warren")
    op.create_index(
        "dead_letters_redriven",
        "dead_letters",
        ["redriven_as"],
        schema="warren",
        postgresql_where=sa.text("redriven_as IS NOT NULL"),
    )
    op.create_table(
        "redrive_runs",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("type", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("since", sa.DateTime(timezone=True)),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("redriven", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_refusal", sa.Text()),
        sa.Column("after_letter", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_letter", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.UUID()),
        sa.Column("held_until", sa.DateTime(timezone=True)),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("stopped_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id"),
        schema="warren",
    )
    op.create_index(
        "redrive_runs_open",
        "redrive_runs",
        ["created_at"],
        schema="warren",
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def _redrive_down() -> None:
    op.drop_table("redrive_runs", schema="warren")
    op.drop_index("dead_letters_redriven", table_name="dead_letters", schema="warren")
    op.drop_index("dead_letters_of_cause", table_name="dead_letters", schema="warren")
    op.drop_column("dead_letters", "redriven_as", schema="warren")
    op.drop_column("dead_letters", "redriven_at", schema="warren")


def _rescue_up() -> None:
    for name in ("orphaned_at", "sent_at", "rescued_at"):
        op.add_column("jobs", sa.Column(name, sa.DateTime(timezone=True)), schema="warren")
    for name in ("rescues", "convictions"):
        op.add_column("jobs", sa.Column(name, sa.SmallInteger(), server_default="0", nullable=False), schema="warren")
    op.create_index(
        "jobs_waiting",
        "jobs",
        ["queue", "priority", sa.text("(greatest(sent_at, coalesce(next_attempt_at, scheduled_for, created_at)))")],
        schema="warren",
        postgresql_where=sa.text("state IN ('scheduled', 'queued', 'retrying')"),
    )
    op.add_column("workers", sa.Column("waiting", sa.Integer(), server_default="0", nullable=False), schema="warren")
    op.add_column("workers", sa.Column("waiting_since", sa.DateTime(timezone=True)), schema="warren")
    op.add_column(
        "workers",
        sa.Column(
            "steady_since", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        schema="warren",
    )
    op.create_table(
        "queue_marks",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("queue", "priority"),
        schema="warren",
    )


def _rescue_down() -> None:
    op.drop_table("queue_marks", schema="warren")
    for name in ("waiting", "waiting_since", "steady_since"):
        op.drop_column("workers", name, schema="warren")
    op.drop_index("jobs_waiting", table_name="jobs", schema="warren")
    for name in ("orphaned_at", "sent_at", "rescued_at", "rescues", "convictions"):
        op.drop_column("jobs", name, schema="warren")
