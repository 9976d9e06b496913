"""Insert the rows of jobs that came by the public door, where the message is first and the row second.

The recorder does it from `births`, and a worker does it from the work queue when its copy comes first; whoever is
second changes nothing.  A tombstone keeps a deleted job from being born again.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from persistence.outbox import tags_json
from persistence.submission import Submission

BEAR = """
INSERT INTO jobs (id, type, queue, state, priority, body, body_hash, tags, batch_id, max_retries, timeout_seconds,
                  scheduled_for, expires_at, traceparent, tracestate)
SELECT id, type, coalesce((SELECT t.queue FROM job_types t WHERE t.name = g.type), queue),  -- it may have moved
       CASE WHEN starts_at > clock_timestamp() THEN 'scheduled' ELSE 'queued' END, priority, body, body_hash,
       (SELECT array_agg(tag) FROM json_array_elements_text(tags::json) tag), batch_id, max_retries,
       timeout_seconds, starts_at, expires_at, traceparent, tracestate
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::bytea[], $6::bytea[], $7::text[], $8::uuid[],
              $9::int[], $10::float8[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[])
    AS g(id, type, queue, priority, body, body_hash, tags, batch_id, max_retries, timeout_seconds, starts_at,
         expires_at, traceparent, tracestate)
 WHERE NOT EXISTS (SELECT FROM tombstones t WHERE t.id = g.id)
 ORDER BY id
    ON CONFLICT (id) DO NOTHING
"""


# An insert that waited for the delete of its id goes ahead when that commits, and has not seen the tombstone
_BURY = "DELETE FROM jobs j USING tombstones t WHERE j.id = ANY($1) AND t.id = j.id"


async def bear(transaction: asyncpg.Connection, submissions: Sequence[Submission]) -> None:
    """Insert those that have no row yet, within the caller's transaction."""
    if submissions:
        born = await transaction.fetch(BEAR + "RETURNING id", *columns(submissions))
        if born:
            await transaction.execute(_BURY, [row["id"] for row in born])


def columns(submissions: Sequence[Submission]) -> list[list[object]]:
    """The submissions as arrays, one a column: a statement takes a batch, never a row at a time."""
    return [list(column) for column in zip(*map(_row, submissions), strict=True)]


def _row(s: Submission) -> tuple[object, ...]:
    return (
        s.id, s.type, s.queue, s.priority, s.body, s.body_hash, tags_json(s.tags), s.batch_id, s.max_retries,
        s.timeout_seconds, s.starts_at, s.expires_at, s.trace.parent, s.trace.state,
    )  # fmt: skip
