"""Insert the rows of jobs that came by the public door, where the message is first and the row second.

The recorder does it from `births`, and a worker does it from the work queue when its copy comes first; whoever is
second changes nothing.  A tombstone keeps a deleted job from being born again.

Whom to tell of the outcome is written beside the row and not with it: few senders ask, and the others pay nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg

from persistence.accepting import replies
from persistence.accepting.outbox import Post, tags_json
from persistence.accepting.submission import Submission
from persistence.store.given import many, single
from wire.metrics import table as metrics

_TYPES: Final = (
    "uuid", "text", "text", "int", "bytea", "bytea", "text", "uuid", "int", "float8", "timestamptz", "timestamptz",
    "text", "text",
)  # fmt: skip
_BEAR = """
INSERT INTO jobs (id, type, queue, state, priority, body, body_hash, tags, batch_id, max_retries, timeout_seconds,
                  scheduled_for, expires_at, traceparent, tracestate{schedule_id})
SELECT id, type, coalesce((SELECT t.queue FROM job_types t WHERE t.name = g.type), queue),  -- it may have moved
       CASE WHEN starts_at > clock_timestamp() THEN 'scheduled' ELSE 'queued' END, priority, body, body_hash,
       CASE WHEN tags IS NOT NULL THEN (SELECT array_agg(tag) FROM json_array_elements_text(tags::json) tag) END,
       batch_id, max_retries, timeout_seconds, starts_at, expires_at, traceparent, tracestate{schedule_id}
  FROM {given}
    AS g(id, type, queue, priority, body, body_hash, tags, batch_id, max_retries, timeout_seconds, starts_at,
         expires_at, traceparent, tracestate)
{those} NOT EXISTS (SELECT FROM tombstones t WHERE t.id = g.id)
 ORDER BY id
    ON CONFLICT (id) DO NOTHING
"""
BEAR: Final = _BEAR.format(given=many(*_TYPES), those=" WHERE", schedule_id="")
BEAR_ONE: Final = _BEAR.format(given=single(*_TYPES), those=" WHERE", schedule_id="")
# Those of its rows that a run in `made` fires; each knows its schedule, for which no other door pays
BEAR_FIRED: Final = _BEAR.format(
    given=many(*_TYPES),
    those="  JOIN made m ON m.job_id = g.id WHERE m.fate = 'fired' AND",
    schedule_id=", schedule_id",
)


# An insert that waited for the delete of its id goes ahead when that commits, and has not seen the tombstone
_BURY = "DELETE FROM jobs j USING tombstones t WHERE j.id = ANY($1) AND t.id = j.id"


_KNOWN = "SELECT id, body_hash FROM jobs WHERE id = ANY($1)"


async def bear(transaction: asyncpg.Connection, submissions: Sequence[Submission]) -> set[UUID]:
    """Insert those that have no row yet, within the caller's transaction; says which these were."""
    if not submissions:
        return set()
    born = {row["id"] for row in await transaction.fetch(BEAR + "RETURNING id", *columns(submissions))}
    if born:
        await transaction.execute(_BURY, list(born))
        newborn = {s.id: s for s in submissions if s.id in born}
        await replies.expect(transaction, list(newborn.values()))
        for submission in newborn.values():
            metrics.JOBS_SUBMITTED.add(submission.type)
    return born


async def meet_again(transaction: asyncpg.Connection, submissions: Sequence[Submission]) -> list[Submission]:
    """Those of them whose id is another job's; who asks again for a job that is known gets its outcome too."""
    if not submissions:
        return []
    known = {row["id"]: row["body_hash"] for row in await transaction.fetch(_KNOWN, [s.id for s in submissions])}
    await replies.expect(transaction, submissions)
    return [s for s in submissions if known.get(s.id, s.body_hash) != s.body_hash]


def columns(submissions: Sequence[Submission]) -> list[list[object]]:
    """The submissions as arrays, one a column: a statement takes a batch, never a row at a time."""
    return [list(column) for column in zip(*map(values, submissions), strict=True)]


def values(s: Submission) -> tuple[object, ...]:
    """One submission as a statement takes it."""
    return (
        s.id, s.type, s.queue, s.priority, s.body, s.body_hash, tags_json(s.tags), s.batch_id, s.max_retries,
        s.timeout_seconds, s.starts_at, s.expires_at, s.trace.parent, s.trace.stored,
    )  # fmt: skip


def first_post(newborn: Submission, seq: int, wait: timedelta = timedelta(0)) -> Post:
    """The message with which its outbox row begins."""
    return Post(
        seq=seq,
        job_id=newborn.id,
        type=newborn.type,
        priority=newborn.priority,
        body=newborn.body,
        run=1,
        attempt=0,
        wait=wait,
        exact=True,
        because=None,
        trace=newborn.trace,
    )
