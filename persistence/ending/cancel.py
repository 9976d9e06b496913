"""End a job from outside: cancel, delete, and try again by hand.

Cancelling what waits is done here and now, and holds with every worker down: the message that still travels is answered
from the row.  A running job is asked: the request stands on its row until it ends, its worker is told by its next
heartbeat, and a retry that would follow becomes `cancelled`.

A deleted job leaves a tombstone, so that it never comes back to life.  Each statement locks the job's row first and
judges the state it finds then: whoever races it (a claim, a record, another request) comes before or after, never both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import structs

from persistence.accepting.accept import GRACE_SECONDS
from persistence.accepting.outbox import Post, post_of
from persistence.artifacts.doom import DOOM
from persistence.store.database import Database, Row
from wire import ladder
from wire.states import FINAL, State
from wire.tracing import Trace

# A copy of its message may lie in the ladder for one whole trip, and behind an outage after it.
BURIED: Final = ladder.LONGEST + timedelta(days=7)


class Word(StrEnum):
    """What became of the request."""

    CANCELLED = "cancelled"  # here and now, or before
    ASKED = "asked"  # it runs; its worker will be told
    FINISHED = "finished"  # it had ended otherwise; nothing was changed
    DELETED = "deleted"
    SENT = "sent"  # it waits again
    REFUSED = "refused"  # not in a state from which this can be done
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """The word, and how the job was found."""

    word: Word
    state: State | None = None  # before the request
    lease: int = 0  # of the start that a running job is in
    post: Post | None = None  # SENT: the message to publish

    @property
    def was_running(self) -> bool:
        return self.state is State.RUNNING


# next_attempt_at stays: until then its message may be in the ladder, and a tombstone has to outlast it
_CANCEL = """
WITH locked AS MATERIALIZED (
  SELECT id, state, lease, clock_timestamp() AS now FROM jobs WHERE id = $1 FOR UPDATE
), changed AS (
  UPDATE jobs j
     SET cancel_requested_at = coalesce(j.cancel_requested_at, locked.now),
         state = CASE WHEN locked.state = 'running' THEN 'running' ELSE 'cancelled' END,
         finished_at = CASE WHEN locked.state <> 'running' THEN locked.now END
    FROM locked WHERE j.id = locked.id AND locked.state IN ('scheduled', 'queued', 'retrying', 'running')
)
SELECT state, lease FROM locked
"""

_CANCEL_ALL = """
WITH locked AS MATERIALIZED (
  SELECT id, state, lease, clock_timestamp() AS now FROM jobs
   WHERE id = ANY($1) AND (state IN ('scheduled', 'queued', 'retrying')
                           OR state = 'running' AND cancel_requested_at IS NULL)
   ORDER BY id FOR UPDATE
), changed AS (
  UPDATE jobs j
     SET cancel_requested_at = locked.now,
         state = CASE WHEN locked.state = 'running' THEN 'running' ELSE 'cancelled' END,
         finished_at = CASE WHEN locked.state <> 'running' THEN locked.now END
    FROM locked WHERE j.id = locked.id
)
SELECT id, lease FROM locked WHERE state = 'running'
"""

_LOCK = "SELECT state, lease FROM jobs WHERE id = $1 FOR UPDATE"

_DELETE = f"""
WITH gone AS (DELETE FROM jobs WHERE id = $1), forgotten AS (DELETE FROM attempts WHERE job_id = $1),
     silenced AS (DELETE FROM attempt_logs WHERE job_id = $1), doomed AS ({DOOM} job_id = $1)
INSERT INTO tombstones (id, until) VALUES ($1, clock_timestamp() + $2)
    ON CONFLICT (id) DO UPDATE SET until = greatest(tombstones.until, excluded.until)
"""  # noqa: S608 - made of a constant

# next_attempt_at says since when it is due: by its old times the rescue would think that it was overtaken long ago
AGAIN: Final = """
turned AS (
  UPDATE jobs j
     SET state = 'queued', reason = NULL, run = j.run + 1, attempt = 0, crashes = 0, cancel_requested_at = NULL,
         expires_at = CASE WHEN j.expires_at > clock_timestamp() THEN j.expires_at END,
         scheduled_for = CASE WHEN j.scheduled_for < clock_timestamp() THEN j.scheduled_for END,
         next_attempt_at = clock_timestamp(), started_at = NULL, finished_at = NULL, result = NULL,
         error_type = NULL, error_message = NULL, progress = NULL, note = NULL, holder = NULL, orphaned_at = NULL,
         sent_at = NULL, rescued_at = NULL, rescues = 0, convictions = 0,
         queue = coalesce((SELECT t.queue FROM job_types t WHERE t.name = j.type), j.queue),
         traceparent = coalesce(locked.anew, j.traceparent)
    FROM locked WHERE j.id = locked.id AND locked.state IN ('failed', 'cancelled', 'expired')
  RETURNING j.*
), posted AS (
  INSERT INTO outbox (job_id, run, because, publish_after)
  SELECT id, run, 'by hand', clock_timestamp() + make_interval(secs => $2) FROM turned ORDER BY id
  RETURNING seq, job_id, run, exact, because
)
"""

_AGAIN = f"""
WITH locked AS MATERIALIZED (
  SELECT id, state, traceparent, $3::text AS anew FROM jobs WHERE id = $1 FOR UPDATE
), {AGAIN}
SELECT locked.state AS before, locked.traceparent AS trace_before,
       p.seq, p.job_id, p.run, p.exact, p.because, t.type, t.priority, t.body, t.attempt,
       t.traceparent, t.tracestate, 0.0::float8 AS wait_seconds
  FROM locked LEFT JOIN turned t ON t.id = locked.id LEFT JOIN posted p ON p.job_id = locked.id
"""  # noqa: S608 - made of two constants


async def cancel(database: Database, job_id: UUID) -> Answer:
    """Cancel what waits, ask what runs; a job that is cancelled already stays so."""
    row = await database.fetch_one(_CANCEL, job_id)
    if row is None:
        return Answer(Word.UNKNOWN)
    return _found(_CANCELLED.get(State(row["state"]), Word.CANCELLED), row)


async def cancel_all(transaction: asyncpg.Connection, jobs: Sequence[UUID]) -> list[tuple[UUID, int]]:
    """Cancel what waits of these and ask what runs, in the caller's transaction; who was asked, and their leases."""
    return [(row["id"], row["lease"]) for row in await transaction.fetch(_CANCEL_ALL, jobs)]


async def delete(database: Database, job_id: UUID, *, purge: bool = False) -> Answer:
    """Delete what has finished; with `purge` also what has not, whose worker then finds its lease gone."""
    async with database.transaction() as transaction:
        row = await transaction.fetchrow(_LOCK, job_id)
        if row is None:
            return Answer(Word.UNKNOWN)
        if State(row["state"]) not in FINAL and not purge:
            return _found(Word.REFUSED, row)
        # a statement of its own: the attempt that a record wrote while we waited for the lock is seen only now
        await transaction.execute(_DELETE, job_id, BURIED)
    return _found(Word.DELETED, row)


async def cancel_or_delete(database: Database, job_id: UUID, *, purge: bool) -> Answer:
    """Delete what has finished and cancel what lives; `purge` deletes either."""
    while True:
        answer = await delete(database, job_id, purge=purge)
        if answer.word is not Word.REFUSED:
            return answer
        answer = await cancel(database, job_id)
        if answer.word is not Word.FINISHED and answer.state is not State.CANCELLED:
            return answer  # else it has ended between the two looks: now it can be deleted


async def again(database: Database, job_id: UUID, trace: Trace | None = None) -> Answer:
    """Send a failed, cancelled or expired job once more: the same id, the budget renewed.

    With a trace given it goes on in that one, which links to the one that it had.
    """
    row = await database.fetch_one(_AGAIN, job_id, GRACE_SECONDS, trace and trace.parent)
    if row is None:
        return Answer(Word.UNKNOWN)
    if row["seq"] is None:
        return Answer(Word.REFUSED, State(row["before"]))
    post = post_of(row)
    if trace:
        post = replace(post, trace=structs.replace(post.trace, origin=Trace.kept(row["trace_before"], "")))
    return Answer(Word.SENT, State(row["before"]), post=post)


_CANCELLED = {
    State.RUNNING: Word.ASKED,
    State.COMPLETED: Word.FINISHED,
    State.FAILED: Word.FINISHED,
    State.EXPIRED: Word.FINISHED,
}


def _found(word: Word, row: Row) -> Answer:
    return Answer(word, State(row["state"]), row["lease"])
