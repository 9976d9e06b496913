"""Batches: many jobs with one progress and one callback; here their rows: make one, close it, read, forget.

A batch's children are the jobs that name it in `batch_id`.  What counts them is in the database (the triggers of
migration 0007), what notices the end is batch_ends.py, what is done to all children at once is batch_orders.py.  A read
adds what is not folded yet, in one snapshot, so the counters are those of the jobs at that moment.

An open batch takes more jobs; a closed one may end.  Nothing here refuses a job that names a closed batch or none: the
gateway does, and what comes past it (over AMQP, or accepted while Postgres was away) opens an ended batch again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import asyncpg

from persistence.accepting.accept import insert
from persistence.accepting.outbox import Post
from persistence.accepting.submission import Submission
from persistence.questions.pages import Place
from persistence.store.database import Database, Row
from persistence.tables import COUNTERS
from wire.errors import Refused
from wire.tracing import Trace

BatchState = Literal["open", "running", "completed", "failed", "cancelled"]
STATES: Final = ("open", "running", "completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch as it was asked for; a callback is an envelope without an id, as JSON text."""

    id: UUID
    request_hash: bytes  # what tells the same request from another one under this id
    name: str | None
    tags: tuple[str, ...]
    on_complete: str | None
    on_failure: str | None
    open: bool
    trace: Trace


@dataclass(frozen=True, slots=True)
class Counts:
    """How many children there are, and how many stand where."""

    total: int
    pending: int  # scheduled, queued, retrying
    running: int
    completed: int
    failed: int
    cancelled: int
    expired: int

    @property
    def ended(self) -> int:
        return self.total - self.pending - self.running


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands."""

    id: UUID
    name: str | None
    state: BatchState
    counts: Counts
    tags: tuple[str, ...]
    on_complete: str | None
    on_failure: str | None
    ends: int  # how often it has ended; a child that is tried again opens it again
    callback_id: UUID | None  # of its last end
    created_at: datetime
    closed_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    trace_id: str  # its callbacks are of this trace, and its jobs if the request brought it along
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Filter:
    """Which batches a reader wants; None means all."""

    state: str | None = None
    name: str | None = None
    tag: str | None = None
    since: datetime | None = None


_CREATE = """
INSERT INTO batches (id, request_hash, name, tags, on_complete, on_failure, closed_at, traceparent, tracestate)
VALUES ($1, $2, $3, $4, $5::json, $6::json, CASE WHEN NOT $7 THEN clock_timestamp() END, $8, $9)
    ON CONFLICT (id) DO NOTHING
RETURNING id
"""

_CLOSE = """
UPDATE batches SET closed_at = coalesce(closed_at, clock_timestamp()) WHERE id = $1 AND delete_requested_at IS NULL
RETURNING id
"""

# A row that changes nothing has the batch looked at again: it may have ended, and no child will say so any more
LOOK_AGAIN: Final = "INSERT INTO batch_deltas (batch_id) VALUES ($1)"

FOLDED: Final = ", ".join(f"(b.{name} + d.{name})::int AS {name}" for name in COUNTERS)
UNFOLDED: Final = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in COUNTERS)
_READ = f"""
SELECT * FROM (
  SELECT b.id, b.name, b.tags, b.on_complete, b.on_failure, b.ends, b.callback_id, b.created_at, b.closed_at,
         b.cancel_requested_at, b.request_hash, split_part(b.traceparent, '-', 2) AS trace_id, {FOLDED},
         CASE WHEN NOT again THEN b.finished_at END AS finished_at,
         CASE WHEN b.closed_at IS NULL THEN 'open' WHEN again THEN 'running' ELSE b.ended_as END AS state
    FROM batches b
   CROSS JOIN LATERAL (SELECT {UNFOLDED}, coalesce(bool_or(pending > 0 OR running > 0), false) AS woken
                         FROM batch_deltas WHERE batch_id = b.id) d
   CROSS JOIN LATERAL (SELECT b.finished_at IS NULL OR b.retry_requested_at IS NOT NULL OR d.woken AS again) a
   WHERE b.delete_requested_at IS NULL) batch
"""  # noqa: S608 - made of constants

_ONE = f"{_READ} WHERE id = $1"
_PAGE = f"""
{_READ}
 WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR name = $2) AND ($3::text IS NULL OR $3 = ANY(tags))
   AND ($4::timestamptz IS NULL OR created_at >= $4)
   AND ($5::timestamptz IS NULL OR (created_at, id) < ($5, $6::uuid))
 ORDER BY created_at DESC, id DESC LIMIT $7
"""


async def create(database: Database, new: NewBatch, children: Sequence[Submission]) -> list[Post] | None:
    """The batch with these children, all or nothing; None if its id is taken, Refused if a child's is."""
    async with database.transaction() as transaction:
        return await create_in(transaction, new, children)


async def create_in(
    transaction: asyncpg.Connection, new: NewBatch, children: Sequence[Submission]
) -> list[Post] | None:
    """The same, within the caller's transaction."""
    if not await transaction.fetchval(_CREATE, *_columns(new)):
        return None
    posts = await insert(transaction, sorted(children, key=lambda child: child.id.int))
    if len(posts) != len(children):
        _check_all(children, {post.job_id for post in posts})
    if not children:
        await transaction.execute(LOOK_AGAIN, new.id)
    return posts


async def close(database: Database, batch_id: UUID) -> bool:
    """Take no more jobs; False if there is no such batch."""
    async with database.transaction() as transaction:
        if not await transaction.fetchval(_CLOSE, batch_id):
            return False
        await transaction.execute(LOOK_AGAIN, batch_id)
    return True


async def one_batch(database: Database, batch_id: UUID) -> Batch | None:
    rows = await database.read(_ONE, batch_id)
    return _batch(rows[0]) if rows else None


async def page_of_batches(database: Database, wanted: Filter, limit: int, after: Place | None = None) -> list[Batch]:
    """At most `limit` batches, newest first, from behind `after`."""
    place = (after.created_at, after.id) if after else (None, None)
    rows = await database.read(_PAGE, wanted.state, wanted.name, wanted.tag, wanted.since, *place, limit)
    return [_batch(row) for row in rows]


def _check_all(children: Sequence[Submission], fresh: set[UUID]) -> None:
    """Or the batch would be smaller than what was asked for."""
    for number, child in enumerate(children):
        if child.id not in fresh:
            problem, remedy = f"{child.id} belongs to another job, or did", "use a fresh id; nothing was taken"
            raise Refused(f"jobs[{number}].id", problem, remedy, code="id_reused")
        fresh.remove(child.id)  # twice in one batch is a job less, too


def _columns(new: NewBatch) -> tuple[object, ...]:
    return (
        new.id, new.request_hash, new.name, list(new.tags) or None, new.on_complete, new.on_failure, new.open,
        new.trace.parent, new.trace.stored,
    )  # fmt: skip


def _batch(row: Row) -> Batch:
    plain = {name: row[name] for name in Batch.__slots__ if name not in ("counts", "tags")}
    return Batch(**plain, counts=Counts(*[row[name] for name in COUNTERS]), tags=tuple(row["tags"] or ()))
