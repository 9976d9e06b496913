"""Replies: where a job's outcome is published, when its message asked for it; and one dead letter a message

A job that came with `reply_to` remembers whom to tell.  A trigger writes the reply in the statement that ends the job,
whichever that is (record, cancel, expiry, poison, a deletion), so that no way to end a job can forget it; its condition
is looked at in the row that changes, and a job that nobody asked about pays nothing else.  A reply is a row until
RabbitMQ has confirmed it; one that nobody can be given any more stays a while with `lost_at`, to be counted.

The same message refused by the recorder and by a worker is one dead letter, whatever each of them calls the reason.
The older index on three columns stays: code from before names it when it inserts.

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOST_RESULT_BYTES = 1_048_576  # far below what a broker takes; a larger result is read over HTTP

# The same names as in the answer to GET /api/v1/jobs/{id}, in UTC whatever the session's time zone is.
OUTCOME = f"""
CREATE FUNCTION warren.outcome(job warren.jobs, state text) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT row_to_json(told) FROM (
    SELECT job.id, job.type, state, job.reason,
           CASE WHEN octet_length(job.result::text) <= {MOST_RESULT_BYTES} THEN job.result END AS result,
           coalesce(octet_length(job.result::text) > {MOST_RESULT_BYTES}, false) AS result_omitted,
           CASE WHEN job.error_type IS NOT NULL THEN json_build_object('type', job.error_type,
                                                                       'message', job.error_message) END AS error,
           job.attempt, warren.submit_instant(job.created_at) AS created_at,
           warren.submit_instant(job.started_at) AS started_at, warren.submit_instant(job.finished_at) AS finished_at,
           split_part(job.traceparent, '-', 2) AS trace_id
  ) told
$$
"""  # noqa: S608 - made of a constant

TELL = """
CREATE FUNCTION warren.tell_outcome() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  job warren.jobs;
BEGIN
  IF TG_OP = 'DELETE' THEN
    job := OLD;
  ELSE
    job := NEW;
  END IF;
  INSERT INTO warren.replies (job_id, type, reply_to, correlation_id, body, traceparent)
  VALUES (job.id, job.type, job.reply_to, job.correlation_id,
          warren.outcome(job, CASE TG_OP WHEN 'DELETE' THEN 'deleted' ELSE job.state END), job.traceparent);
  RETURN NULL;
END $$
"""

NOTIFY = """
CREATE FUNCTION warren.notify_replies() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('warren_replies', '');  -- Postgres sends one a transaction, at its commit
  RETURN NULL;
END $$
"""

FINAL = "('completed', 'failed', 'cancelled', 'expired')"
TRIGGERS = {
    "jobs_tell_outcome": f"""
CREATE TRIGGER jobs_tell_outcome AFTER UPDATE OF state ON warren.jobs FOR EACH ROW
  WHEN (NEW.reply_to IS NOT NULL AND NEW.state IN {FINAL} AND OLD.state NOT IN {FINAL})
  EXECUTE FUNCTION warren.tell_outcome()
""",
    "jobs_tell_deletion": f"""
CREATE TRIGGER jobs_tell_deletion AFTER DELETE ON warren.jobs FOR EACH ROW
  WHEN (OLD.reply_to IS NOT NULL AND OLD.state NOT IN {FINAL})
  EXECUTE FUNCTION warren.tell_outcome()
""",
}
REPLIES_NOTIFY = """
CREATE TRIGGER replies_notify AFTER INSERT ON warren.replies FOR EACH ROW EXECUTE FUNCTION warren.notify_replies()
"""

# Of letters that are one message only the oldest is kept; what was redriven stays marked on it.
ONE_A_MESSAGE = """
WITH kept AS (
  SELECT message_id, body_hash, min(id) AS id, max(redriven_at) AS redriven_at, (max(redriven_as::text))::uuid AS job
    FROM warren.dead_letters GROUP BY message_id, body_hash HAVING count(*) > 1
), marked AS (
  UPDATE warren.dead_letters d SET redriven_at = kept.redriven_at, redriven_as = kept.job
    FROM kept WHERE d.id = kept.id AND d.redriven_at IS NULL AND kept.redriven_at IS NOT NULL
)
DELETE FROM warren.dead_letters d USING kept
 WHERE d.message_id = kept.message_id AND d.body_hash = kept.body_hash AND d.id <> kept.id
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column("jobs", sa.Column("reply_to", sa.Text()), schema="warren")
    op.add_column("jobs", sa.Column("correlation_id", sa.Text()), schema="warren")
    _replies_up()
    for statement in (OUTCOME, TELL, NOTIFY, *TRIGGERS.values(), REPLIES_NOTIFY):
        op.execute(statement)
    op.execute(ONE_A_MESSAGE)
    op.create_index(
        "dead_letters_once_a_message", "dead_letters", ["message_id", "body_hash"], unique=True, schema="warren"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_index("dead_letters_once_a_message", table_name="dead_letters", schema="warren")
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON warren.jobs")
    op.drop_table("replies", schema="warren")
    for signature in ("notify_replies()", "tell_outcome()", "outcome(warren.jobs, text)"):
        op.execute(f"DROP FUNCTION warren.{signature}")
    for name in ("reply_to", "correlation_id"):
        op.drop_column("jobs", name, schema="warren")


def _replies_up() -> None:
    now = sa.text("clock_timestamp()")
    op.create_table(
        "replies",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("job_id", sa.UUID()),
        sa.Column("type", sa.Text()),
        sa.Column("reply_to", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text()),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("traceparent", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("publish_after", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lost_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id"),
        schema="warren",
    )
    op.create_index(
        "replies_to_publish", "replies", ["publish_after"], schema="warren", postgresql_where=sa.text("lost_at IS NULL")
    )
    op.create_index(
        "replies_lost", "replies", ["lost_at"], schema="warren", postgresql_where=sa.text("lost_at IS NOT NULL")
    )
