"""The tables, as SQLAlchemy sees them: for migrations and for reads that are put together from filters.

`jobs` holds one row a job and the exact bytes of its body, written once.  Three numbers tell a job's story: `run`
says which message is the current one, `lease` fences writers, `attempt` is the counter that people see.
No foreign key points into `jobs`: retention and duplicates must not wait for one another.
Those of the clock are in schedules/tables.py, those of crawls in articles/tables.py and crawls/tables.py,
those of politeness in hosts/tables.py.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY, JSON, UUID

from persistence.store.database import SCHEMA
from persistence.waits import WAITING, WAITS_SINCE

metadata = MetaData(schema=SCHEMA)
NOW = text("clock_timestamp()")


def time(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required)


def since(name: str = "created_at") -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=NOW)


jobs = Table(
    "jobs",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("type", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("priority", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("tags", ARRAY(Text)),
    Column("batch_id", UUID),
    Column("run", Integer, nullable=False, server_default="1"),
    Column("lease", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("crashes", SmallInteger, nullable=False, server_default="0"),
    Column("max_retries", Integer, nullable=False),
    Column("timeout_seconds", Double, nullable=False),
    since(),
    time("scheduled_for"),
    time("next_attempt_at"),
    time("expires_at"),
    time("started_at"),
    time("finished_at"),
    time("cancel_requested_at"),
    Column("holder", UUID),
    time("orphaned_at"),  # it runs, but the process that held it is gone
    time("sent_at"),  # its message went out later than it was due
    time("rescued_at"),
    Column("rescues", SmallInteger, nullable=False, server_default="0"),
    Column("convictions", SmallInteger, nullable=False, server_default="0"),
    Column("progress", Double),
    Column("note", Text),
    Column("result", JSON),
    Column("error_type", Text),
    Column("error_message", Text),
    Column("traceparent", Text, nullable=False),
    Column("tracestate", Text, nullable=False, server_default=""),
    Column("reply_to", Text),  # the queue that its sender wants the outcome in
    Column("correlation_id", Text),
    Column("schedule_id", UUID),  # the schedule that made it
    Index("jobs_listed", "created_at", "id"),
    Index("jobs_listed_by_type", "type", "created_at", "id"),
    Index("jobs_listed_by_state", "state", "created_at", "id"),
    Index("jobs_tagged", "tags", postgresql_using="gin", postgresql_where=text("tags IS NOT NULL")),
    Index("jobs_of_batch", "batch_id", "created_at", "id", postgresql_where=text("batch_id IS NOT NULL")),
    Index("jobs_of_schedule", "schedule_id", "created_at", "id", postgresql_where=text("schedule_id IS NOT NULL")),
    Index("jobs_waiting", "queue", "priority", text(f"({WAITS_SINCE})"), postgresql_where=text(WAITING)),
)

attempts = Table(
    "attempts",
    metadata,
    Column("job_id", UUID, primary_key=True),
    Column("lease", Integer, primary_key=True),
    Column("run", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("worker", Text, nullable=False),
    time("started_at", required=True),
    time("finished_at", required=True),
    Column("retry_after_seconds", Double),
    Column("error_type", Text),
    Column("error_message", Text),
    Column("traceback", Text),
)

# What attempts have logged, a piece a row: the lines `first` to `last`, of which those from `kept_from` on are kept.
attempt_logs = Table(
    "attempt_logs",
    metadata,
    Column("job_id", UUID, primary_key=True),
    Column("lease", Integer, primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("kept_from", Integer, nullable=False),
    Column("lines", Text, nullable=False),
)

# The bytes that jobs leave behind; where they lie in the object store is their `key`.
artifacts = Table(
    "artifacts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("job_id", UUID, nullable=False),
    Column("lease", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="uploading"),
    Column("size_bytes", BigInteger),
    Column("sha256", LargeBinary),
    since(),
    time("sweep_after", required=True),
    Index("artifacts_kept_once", "job_id", "kind", "name", unique=True, postgresql_where=text("state = 'kept'")),
    Index("artifacts_listed", "job_id", "created_at", "id", postgresql_where=text("state = 'kept'")),
    Index("artifacts_to_sweep", "sweep_after", "id", postgresql_where=text("state <> 'kept'")),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("job_id", UUID, nullable=False),
    Column("run", Integer, nullable=False),
    time("due_at"),
    Column("exact", Boolean, nullable=False, server_default="true"),
    Column("because", Text),
    time("publish_after", required=True),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("uncounted", Boolean),  # its job came by the SQL door, and no process has counted it yet
    Column("held_for", Text),  # the paused type that it waits for; publish_after is infinity then
    Index("outbox_to_publish", "publish_after", "seq"),
    Index("outbox_held", "held_for", "seq", postgresql_where=text("held_for IS NOT NULL")),
)

tombstones = Table("tombstones", metadata, Column("id", UUID, primary_key=True), time("until", required=True))

# The last job of each key that somebody asked with; see unique.py.
unique_jobs = Table(
    "unique_jobs",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("job_id", UUID, nullable=False),
    Index("unique_jobs_of_job", "job_id"),
)

job_types = Table(
    "job_types",
    metadata,
    Column("name", Text, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("payload_schema", JSON, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("max_retries", Integer, nullable=False),
    Column("timeout_seconds", Double, nullable=False),
    Column("retry_base_seconds", Double, nullable=False),
    Column("retry_max_seconds", Double, nullable=False),
    since(),
    since("registered_at"),
    Column("result_schema", JSON),
)

workers = Table(
    "workers",
    metadata,
    Column("session", UUID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("queues", ARRAY(Text), nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("free_slots", Integer, nullable=False),
    Column("consuming", Boolean, nullable=False, server_default="false"),
    Column("waiting", Integer, nullable=False, server_default="0"),
    time("waiting_since"),
    since("started_at"),
    since("heartbeat_at"),
    since("steady_since"),
    time("last_consumed_at"),
    time("ended_at"),
    Column("version", Text, nullable=False, server_default=""),
    Column("paused", ARRAY(Text), nullable=False, server_default="{}"),  # of its queues, those it does not consume now
    time("drain_requested_at"),
    Index("workers_alive", "heartbeat_at", postgresql_where=text("ended_at IS NULL")),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("job_id", UUID),
    Column("message_id", Text, nullable=False),
    Column("type", Text),
    Column("body", LargeBinary, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("routing_key", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    since(),
    time("redriven_at"),
    Column("redriven_as", UUID),
    Index("dead_letters_once", "message_id", "body_hash", "reason", unique=True),
    Index("dead_letters_once_a_message", "message_id", "body_hash", unique=True),
    Index("dead_letters_listed", "created_at", "id"),
    Index("dead_letters_of_cause", "fingerprint", "id"),
    Index("dead_letters_redriven", "redriven_as", postgresql_where=text("redriven_as IS NOT NULL")),
)

# Outcomes and refusals on their way to the queue that a message named in `reply_to`; a trigger on `jobs` writes them.
replies = Table(
    "replies",
    metadata,
    Column("id", UUID, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("job_id", UUID),
    Column("type", Text),
    Column("reply_to", Text, nullable=False),
    Column("correlation_id", Text),
    Column("body", JSON, nullable=False),
    Column("traceparent", Text),
    since(),
    since("publish_after"),
    Column("tries", Integer, nullable=False, server_default="0"),
    time("lost_at"),  # its queue is gone, or it was tried too often
    Index("replies_to_publish", "publish_after", postgresql_where=text("lost_at IS NULL")),
    Index("replies_lost", "lost_at", postgresql_where=text("lost_at IS NOT NULL")),
)

# Up to which due time the jobs of a queue and a priority have had their first start: what is older was overtaken.
queue_marks = Table(
    "queue_marks",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("priority", SmallInteger, primary_key=True),
    time("due_at", required=True),
    since("at"),
)

# One row a redrive by filter: what it is to redrive, how far it is, and which gateway works it off.
redrive_runs = Table(
    "redrive_runs",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("type", Text),
    Column("reason", Text),
    Column("fingerprint", Text),
    time("since"),
    Column("rate", Double, nullable=False),
    Column("letters", Integer, nullable=False),
    Column("redriven", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("last_refusal", Text),
    Column("after_letter", BigInteger, nullable=False, server_default="0"),
    Column("last_letter", BigInteger, nullable=False),
    Column("holder", UUID),
    time("held_until"),
    since(),
    time("stopped_at"),
    time("finished_at"),
    Index("redrive_runs_open", "created_at", postgresql_where=text("finished_at IS NULL")),
)

# One row a fact about the broker that must not change under our feet: the profile it was declared with, its epoch.
# And one a segment of schedules: the edition of the time zones that their due times were computed with.
pins = Table("pins", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

# How many there are of each kind: the deltas that triggers append, and the sums into which they are folded.
job_deltas = Table(
    "job_deltas",
    metadata,
    Column("state", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("jobs", BigInteger, nullable=False),
)
job_counts = Table(
    "job_counts",
    metadata,
    Column("state", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("queue", Text, primary_key=True),
    Column("priority", SmallInteger, primary_key=True, autoincrement=False),
    Column("jobs", BigInteger, nullable=False),
)
letter_deltas = Table(
    "letter_deltas",
    metadata,
    Column("reason", Text, nullable=False),
    Column("redriven", Boolean, nullable=False),
    Column("letters", BigInteger, nullable=False),
)
letter_counts = Table(
    "letter_counts",
    metadata,
    Column("reason", Text, primary_key=True),
    Column("redriven", Boolean, primary_key=True),
    Column("letters", BigInteger, nullable=False),
)

# What stands still, since when, by whom and why.  kind: queue or type.
pauses = Table(
    "pauses",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    since("paused_at"),
    Column("paused_by", Text, nullable=False),
    Column("note", Text),
)

COUNTERS = ("total", "pending", "running", "completed", "failed", "cancelled", "expired")

# One row a batch of jobs: what was asked of it, and the counters as far as they are folded.
batches = Table(
    "batches",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("name", Text),
    Column("tags", ARRAY(Text)),
    Column("request_hash", LargeBinary, nullable=False),
    Column("on_complete", JSON),
    Column("on_failure", JSON),
    *[Column(name, Integer, nullable=False, server_default="0") for name in COUNTERS],
    Column("ends", Integer, nullable=False, server_default="0"),
    Column("ended_as", Text),
    Column("callback_id", UUID),
    since(),
    time("closed_at"),
    time("finished_at"),
    time("cancel_requested_at"),
    time("retry_requested_at"),
    time("delete_requested_at"),
    Column("retry_states", ARRAY(Text)),
    Column("traceparent", Text, nullable=False),
    Column("tracestate", Text, nullable=False, server_default=""),
    Index("batches_listed", "created_at", "id"),
    Index(
        "batches_ordered",
        "id",
        postgresql_where=text(
            "delete_requested_at IS NOT NULL OR retry_requested_at IS NOT NULL "
            "OR cancel_requested_at IS NOT NULL AND finished_at IS NULL"
        ),
    ),
)

# What statements have changed of the counters and nobody has folded yet; written by triggers on `jobs`.
batch_deltas = Table(
    "batch_deltas",
    metadata,
    Column("batch_id", UUID, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    *[Column(name, Integer, nullable=False, server_default="0") for name in COUNTERS],
)
