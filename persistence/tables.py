"""The tables, as SQLAlchemy sees them: for migrations and for reads that are put together from filters.

`jobs` holds one row a job and the exact bytes of its body, written once.  Three numbers tell a job's story: `run`
says which message is the current one, `lease` fences writers, `attempt` is the counter that people see.
No foreign key points into `jobs`: retention and duplicates must not wait for one another.
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

SCHEMA = "warren"
metadata = MetaData(schema=SCHEMA)
NOW = text("clock_timestamp()")
WAITING = "state IN ('scheduled', 'queued', 'retrying')"
# since when its message should have been at hand: when it was due, or when it was sent late
WAITS_SINCE = "greatest(sent_at, coalesce(next_attempt_at, scheduled_for, created_at))"


def _time(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required)


def _since(name: str = "created_at") -> Column[object]:
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
    _since(),
    _time("scheduled_for"),
    _time("next_attempt_at"),
    _time("expires_at"),
    _time("started_at"),
    _time("finished_at"),
    _time("cancel_requested_at"),
    Column("holder", UUID),
    _time("orphaned_at"),  # it runs, but the process that held it is gone
    _time("sent_at"),  # its message went out later than it was due
    _time("rescued_at"),
    Column("rescues", SmallInteger, nullable=False, server_default="0"),
    Column("convictions", SmallInteger, nullable=False, server_default="0"),
    Column("progress", Double),
    Column("note", Text),
    Column("result", JSON),
    Column("error_type", Text),
    Column("error_message", Text),
    Column("traceparent", Text, nullable=False),
    Column("tracestate", Text, nullable=False, server_default=""),
    Index("jobs_listed", "created_at", "id"),
    Index("jobs_listed_by_type", "type", "created_at", "id"),
    Index("jobs_listed_by_state", "state", "created_at", "id"),
    Index("jobs_tagged", "tags", postgresql_using="gin", postgresql_where=text("tags IS NOT NULL")),
    Index("jobs_of_batch", "batch_id", "created_at", "id", postgresql_where=text("batch_id IS NOT NULL")),
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
    _time("started_at", required=True),
    _time("finished_at", required=True),
    Column("retry_after_seconds", Double),
    Column("error_type", Text),
    Column("error_message", Text),
    Column("traceback", Text),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("job_id", UUID, nullable=False),
    Column("run", Integer, nullable=False),
    _time("due_at"),
    Column("exact", Boolean, nullable=False, server_default="true"),
    Column("because", Text),
    _time("publish_after", required=True),
    Column("tries", Integer, nullable=False, server_default="0"),
    Index("outbox_to_publish", "publish_after", "seq"),
)

tombstones = Table("tombstones", metadata, Column("id", UUID, primary_key=True), _time("until", required=True))

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
    _since(),
    _since("registered_at"),
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
    _time("waiting_since"),
    _since("started_at"),
    _since("heartbeat_at"),
    _since("steady_since"),
    _time("last_consumed_at"),
    _time("ended_at"),
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
    _since(),
    _time("redriven_at"),
    Column("redriven_as", UUID),
    Index("dead_letters_once", "message_id", "body_hash", "reason", unique=True),
    Index("dead_letters_listed", "created_at", "id"),
    Index("dead_letters_of_cause", "fingerprint", "id"),
    Index("dead_letters_redriven", "redriven_as", postgresql_where=text("redriven_as IS NOT NULL")),
)

# Up to which due time the jobs of a queue and a priority have had their first start: what is older was overtaken.
queue_marks = Table(
    "queue_marks",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("priority", SmallInteger, primary_key=True),
    _time("due_at", required=True),
    _since("at"),
)

# One row a redrive by filter: what it is to redrive, how far it is, and which gateway works it off.
redrive_runs = Table(
    "redrive_runs",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("type", Text),
    Column("reason", Text),
    Column("fingerprint", Text),
    _time("since"),
    Column("rate", Double, nullable=False),
    Column("letters", Integer, nullable=False),
    Column("redriven", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("last_refusal", Text),
    Column("after_letter", BigInteger, nullable=False, server_default="0"),
    Column("last_letter", BigInteger, nullable=False),
    Column("holder", UUID),
    _time("held_until"),
    _since(),
    _time("stopped_at"),
    _time("finished_at"),
    Index("redrive_runs_open", "created_at", postgresql_where=text("finished_at IS NULL")),
)

# One row a fact about the broker that must not change under our feet: the profile it was declared with, its epoch.
pins = Table("pins", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
