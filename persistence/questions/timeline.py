"""What has happened to one job, as far as it was written down: its row and all its attempts, in one snapshot.

When a message was published is not among it: that is in its trace.  Only where one went out late, or was lost and sent
again, the row says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from persistence.questions.reads import Attempt
from persistence.store.database import Database, Row
from wire.states import State


@dataclass(frozen=True, slots=True)
class Story:
    """A job's times, and its ended attempts by lease."""

    now: datetime
    id: UUID
    type: str
    state: State
    attempt: int
    lease: int
    max_retries: int
    created_at: datetime
    scheduled_for: datetime | None
    next_attempt_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    orphaned_at: datetime | None
    sent_at: datetime | None
    rescued_at: datetime | None
    worker: str | None  # of the attempt that runs
    trace_id: str
    attempts: Sequence[Attempt]

    @property
    def ended(self) -> bool:
        """Whether its last start has ended: its worker was lost, if it still counts as running."""
        return bool(self.attempts) and self.attempts[-1].lease == self.lease


_STORY: Final = """
SELECT j.id, j.type, j.state, j.attempt, j.lease, j.max_retries, j.created_at, j.scheduled_for, j.next_attempt_at,
       j.started_at, j.finished_at, j.cancel_requested_at, j.orphaned_at, j.sent_at, j.rescued_at,
       split_part(j.traceparent, '-', 2) AS trace_id, w.name AS worker, clock_timestamp() AS now,
       a.lease AS a_lease, a.run AS a_run, a.attempt AS a_attempt, a.outcome AS a_outcome, a.reason AS a_reason,
       a.worker AS a_worker, a.started_at AS a_started_at, a.finished_at AS a_finished_at,
       a.retry_after_seconds AS a_retry_after_seconds, a.error_type AS a_error_type,
       a.error_message AS a_error_message, NULL AS a_traceback
  FROM jobs j LEFT JOIN workers w ON w.session = j.holder LEFT JOIN attempts a ON a.job_id = j.id
 WHERE j.id = $1 ORDER BY a.lease
"""


async def story_of(database: Database, job_id: UUID) -> Story | None:
    """All that is known of its past, or None if there is no such job."""
    rows = await database.read(_STORY, job_id)
    if not rows:
        return None
    attempts = [_attempt(row) for row in rows if row["a_lease"] is not None]
    return Story(**{name: rows[0][name] for name in _PLAIN}, state=State(rows[0]["state"]), attempts=attempts)


def _attempt(row: Row) -> Attempt:
    return Attempt(**{name: row[f"a_{name}"] for name in Attempt.__slots__})


_PLAIN = [name for name in Story.__slots__ if name not in ("state", "attempts")]
