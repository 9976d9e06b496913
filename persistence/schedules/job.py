"""The job of a due time, as it passes every other door: an envelope, filled from its type, ready to become a row.

Its body carries `x_schedule`: the schedule's id and name, the due time that it is for, and the ones that follow.  Its
id is the due time's, so who makes it twice makes the same job.  Every run is a trace of its own.

Here too is the part that all statements share which make runs: of the runs in `made` those that fire get their job and
its outbox row, as accept.py has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from persistence.accepting.births import BEAR_FIRED
from persistence.accepting.submission import Submission, fill
from persistence.declared.job_types import JobType
from persistence.schedules.schedule import Schedule, job_id_of
from persistence.store.database import Row
from wire.envelope import Envelope, encode
from wire.scheduled import FIELD
from wire.tracing import Trace

# $1 to $14 are the jobs, $15 is how long the sweep leaves them to their publisher
BORN: Final = f"""
born AS (
  {BEAR_FIRED} RETURNING id, run
), posted AS (
  INSERT INTO outbox (job_id, run, publish_after)
  SELECT id, run, clock_timestamp() + make_interval(secs => $15) FROM born ORDER BY id
  RETURNING seq, job_id
)
"""  # noqa: S608 - made of a constant

TYPE: Final = """t.queue AS type_queue, t.priority AS type_priority, t.max_retries AS type_max_retries,
       t.timeout_seconds AS type_timeout_seconds"""


def job_of(
    schedule: Schedule,
    due_at: datetime,
    job_type: JobType,
    following: Sequence[datetime] = (),
    trace: Trace | None = None,
) -> Submission:
    """The row to be; it starts at once, however late the due time is."""
    plan = schedule.plan
    said = {
        "id": str(schedule.id),
        "name": plan.name,
        "due_at": _written(due_at),
        "following": [_written(instant) for instant in following],
    }
    envelope = Envelope(
        type=plan.job_type,
        payload={},  # its bytes are what counts; they were judged when the schedule was made
        payload_json=plan.payload,
        id=job_id_of(schedule.id, due_at),
        priority=plan.priority,
        max_retries=plan.max_retries,
        timeout_seconds=plan.timeout_seconds,
        tags=plan.tags,
        extra={FIELD: said},
    )
    return fill(envelope, job_type, encode(envelope), trace or Trace.begin(), due_at)


def type_of(row: Row) -> JobType | None:
    """What of its type a job needs, from the columns TYPE; None if nobody has registered it."""
    if row["type_queue"] is None:
        return None
    return JobType(
        name=row["job_type"],
        queue=row["type_queue"],
        description="",
        payload_schema="{}",
        priority=row["type_priority"],
        max_retries=row["type_max_retries"],
        timeout_seconds=row["type_timeout_seconds"],
        retry_base_seconds=0.0,
        retry_max_seconds=0.0,
    )


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
