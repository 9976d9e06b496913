"""Replies: outcomes and refusals on their way to the queue that a message named in `reply_to`.

The statement that ends a job writes its reply, by a trigger (migration 0004); that of a refusal comes with its dead
letter.  Here it is noted whom to tell, and the rows are leased, settled, and given up: a queue that is gone is nobody's
outage, so its reply is kept with `lost_at` and tried no more.

A reply is published at least once; the asker knows it by its correlation id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from persistence.accepting.submission import Submission
from persistence.store.database import Database, Row
from wire.message import Outgoing, ReplyTo, reply_message
from wire.tracing import TRACEPARENT, Trace

LONGEST_BACKOFF_SECONDS: Final = 300.0
MOST_TRIES: Final = 20  # more than an hour of a broker that is there and does not take it

# Who asks again from elsewhere is told there; who asks for a job that has ended, at once.  The locks come in the order
# of the ids, as everywhere.
_EXPECT = """
WITH asked AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[]) AS a(id, body_hash, reply_to, correlation_id)
), locked AS MATERIALIZED (
  SELECT j.id FROM jobs j JOIN asked a ON a.id = j.id AND a.body_hash = j.body_hash  -- nobody is told of another's job
   WHERE (j.reply_to, j.correlation_id) IS DISTINCT FROM (a.reply_to, a.correlation_id) ORDER BY j.id FOR UPDATE OF j
), noted AS (
  UPDATE jobs j SET reply_to = a.reply_to, correlation_id = a.correlation_id
    FROM locked l JOIN asked a ON a.id = l.id WHERE j.id = l.id
  RETURNING j AS job  -- as it is now: it may have ended while we waited for its lock
)
INSERT INTO replies (job_id, type, reply_to, correlation_id, body, traceparent)
SELECT (job).id, (job).type, (job).reply_to, (job).correlation_id, outcome(job, (job).state), (job).traceparent
  FROM noted WHERE (job).state IN ('completed', 'failed', 'cancelled', 'expired')
"""

_LEASE = """
WITH due AS MATERIALIZED (
  SELECT id FROM replies WHERE lost_at IS NULL AND publish_after <= clock_timestamp()
   ORDER BY publish_after LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE replies r
   SET tries = tries + 1,
       publish_after = clock_timestamp() + make_interval(secs => least($3, $2 * 2 ^ least(tries, 20))),
       lost_at = CASE WHEN tries >= $4 THEN clock_timestamp() END
  FROM due WHERE r.id = due.id
RETURNING r.id, r.job_id, r.type, r.reply_to, r.correlation_id, r.body, r.traceparent, r.lost_at
"""

_DELETE = "DELETE FROM replies WHERE id = ANY($1)"
_LOSE = "UPDATE replies SET lost_at = clock_timestamp() WHERE id = ANY($1)"


@dataclass(frozen=True, slots=True)
class Reply:
    """One row, and whether it has been tried too often."""

    id: UUID
    job_id: UUID | None
    type: str
    to: ReplyTo
    body: str
    traceparent: str | None
    lost: bool

    def message(self) -> Outgoing:
        trace = Trace.of({TRACEPARENT: self.traceparent or ""})
        return reply_message(
            to=self.to,
            reply_id=self.id,
            job_type=self.type,
            body=self.body.encode(),
            trace=trace.headers() if trace else {},
        )


async def expect(transaction: asyncpg.Connection, submissions: Sequence[Submission]) -> None:
    """Note whom to tell of these jobs, within the caller's transaction; of many who ask for one the last is told."""
    asked = {s.id: (s.id, s.body_hash, s.reply_to.queue, s.reply_to.correlation_id) for s in submissions if s.reply_to}
    if asked:
        await transaction.execute(_EXPECT, *[list(column) for column in zip(*asked.values(), strict=True)])


async def lease(database: Database, limit: int, backoff_seconds: float) -> list[Reply]:
    """The next that are due; whoever leased one before and did not come back to it has lost it to us."""
    rows = await database.fetch(_LEASE, limit, backoff_seconds, LONGEST_BACKOFF_SECONDS, MOST_TRIES)
    return [_reply(row) for row in rows]


async def delete(database: Database, ids: Sequence[UUID]) -> None:
    """These are confirmed."""
    if ids:
        await database.fetch(_DELETE, list(ids))


async def lose(database: Database, ids: Sequence[UUID]) -> None:
    """Nobody can be given these."""
    if ids:
        await database.fetch(_LOSE, list(ids))


def _reply(row: Row) -> Reply:
    to = ReplyTo(row["reply_to"], row["correlation_id"])
    return Reply(
        row["id"], row["job_id"], row["type"] or "", to, row["body"], row["traceparent"], row["lost_at"] is not None
    )
