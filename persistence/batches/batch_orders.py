"""What is done to all children of a batch at once: cancel, send again, delete.

An order is written on the batch's row first and then carried out in chunks, so that a hundred thousand children are
never one transaction, and a crash leaves an order that somebody else carries on with: the gateway begins, the scheduler
takes over what is left.  Two at the same order do no harm.  Each chunk locks its jobs in the order of their ids.

A batch cannot end while it is sent again: its first children would be done before the last have begun.  A cancelled
batch cancels what comes late, too, until it has ended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg

from persistence.accepting.accept import GRACE_SECONDS
from persistence.accepting.outbox import Post, post_of
from persistence.artifacts.doom import DOOM
from persistence.batches.batches import LOOK_AGAIN
from persistence.ending.cancel import AGAIN, BURIED, cancel_all
from persistence.ending.retention import START, Place
from persistence.store.database import Database, Row
from wire.states import State

CHUNK: Final = 500


class Do(StrEnum):
    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to be done to a batch's children."""

    do: Do
    batch_id: UUID
    given_at: datetime
    pending: bool = field(default=True, compare=False)  # whether a job of it waits, as far as was known


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one step has done."""

    posts: list[Post] = field(default_factory=list)  # messages to publish
    asked: list[tuple[UUID, int]] = field(default_factory=list)  # running jobs that are to end, and their leases


_ENDED = """(finished_at IS NOT NULL AND retry_requested_at IS NULL
       AND NOT EXISTS (SELECT FROM batch_deltas d
                        WHERE d.batch_id = batches.id AND (d.pending > 0 OR d.running > 0)))"""

_CANCEL_BATCH = f"""
UPDATE batches
   SET cancel_requested_at = clock_timestamp(), closed_at = coalesce(closed_at, clock_timestamp()),
       retry_requested_at = NULL
 WHERE id = $1 AND delete_requested_at IS NULL AND NOT {_ENDED}
RETURNING cancel_requested_at AS given_at
"""  # noqa: S608 - made of two constants

_RETRY_BATCH = """
UPDATE batches SET retry_requested_at = clock_timestamp(), retry_states = $2, cancel_requested_at = NULL
 WHERE id = $1 AND delete_requested_at IS NULL
RETURNING retry_requested_at AS given_at
"""

_DELETE_BATCH = f"""
UPDATE batches SET delete_requested_at = clock_timestamp() WHERE id = $1 AND delete_requested_at IS NULL AND {_ENDED}
RETURNING delete_requested_at AS given_at
"""  # noqa: S608 - made of two constants

_ORDERED = """
SELECT id, delete_requested_at, retry_requested_at, cancel_requested_at,
       pending + coalesce((SELECT sum(d.pending) FROM batch_deltas d WHERE d.batch_id = batches.id), 0) > 0 AS pending
  FROM batches
 WHERE delete_requested_at IS NOT NULL OR retry_requested_at IS NOT NULL
    OR cancel_requested_at IS NOT NULL AND finished_at IS NULL
 ORDER BY id LIMIT $1
"""

_WALK = """
SELECT id, created_at FROM jobs WHERE batch_id = $1 AND (created_at, id) > ($2, $3) ORDER BY created_at, id LIMIT $4
"""

# Against a cancel of the batch that comes between: it waits for this chunk, and the next chunk finds no order
_STANDS = """
SELECT retry_states FROM batches WHERE id = $1 AND retry_requested_at = $2 FOR SHARE
"""

# What has started since the order was given has been sent again already; by Postgres' clock, unlike `finished_at`
_RETRY = f"""
WITH locked AS MATERIALIZED (
  SELECT id, state, NULL AS anew FROM jobs
   WHERE id = ANY($1) AND state = ANY($3) AND (started_at < $4) IS NOT FALSE
   ORDER BY id FOR UPDATE
), {AGAIN}
SELECT p.seq, p.job_id, p.run, p.exact, p.because, t.type, t.priority, t.body, t.attempt, t.traceparent, t.tracestate,
       0.0::float8 AS wait_seconds
  FROM turned t JOIN posted p ON p.job_id = t.id ORDER BY p.seq
"""  # noqa: S608 - made of two constants

_RETRIED = """
UPDATE batches SET retry_requested_at = NULL WHERE id = $1 AND retry_requested_at = $2 RETURNING id
"""

_LOCK = "SELECT id FROM jobs WHERE id = ANY($1) ORDER BY id FOR UPDATE"
_DELETE = f"""
WITH gone AS (DELETE FROM jobs WHERE id = ANY($1)), forgotten AS (DELETE FROM attempts WHERE job_id = ANY($1)),
     silenced AS (DELETE FROM attempt_logs WHERE job_id = ANY($1)), doomed AS ({DOOM} job_id = ANY($1))
INSERT INTO tombstones (id, until) SELECT id, clock_timestamp() + $2 FROM unnest($1::uuid[]) AS id ORDER BY id
    ON CONFLICT (id) DO UPDATE SET until = greatest(tombstones.until, excluded.until)
"""  # noqa: S608 - made of a constant
_GONE = "DELETE FROM batches WHERE id = $1 AND delete_requested_at IS NOT NULL"


async def give(database: Database, do: Do, batch_id: UUID, states: Sequence[State] = ()) -> Order | None:
    """Write the order down; None if there is no such batch, or none that it fits.

    A retry is of the children in these states; what has ended cannot be cancelled, what has not cannot be deleted.
    """
    statement, arguments = {
        Do.CANCEL: (_CANCEL_BATCH, ()),
        Do.RETRY: (_RETRY_BATCH, ([state.value for state in states],)),
        Do.DELETE: (_DELETE_BATCH, ()),
    }[do]
    row = await database.fetch_one(statement, batch_id, *arguments)
    return Order(do, batch_id, row["given_at"]) if row else None


async def given(database: Database, limit: int) -> list[Order]:
    """Orders that have not been carried out to their end."""
    return [_order(row) for row in await database.fetch(_ORDERED, limit)]


async def carry_out(database: Database, order: Order) -> AsyncIterator[Chunk]:
    """Do it, a chunk a step; whoever walks may stop at any step, and somebody else begins anew."""
    step = {Do.CANCEL: _cancel, Do.RETRY: _retry, Do.DELETE: _delete}[order.do]
    after: Place | None = START
    while after is not None:
        rows = await database.fetch(_WALK, order.batch_id, after.created_at, after.id, CHUNK)
        after = Place(rows[-1]["created_at"], rows[-1]["id"]) if len(rows) == CHUNK else None
        async with database.transaction() as transaction:
            chunk = await step(transaction, order, sorted(row["id"] for row in rows), last=after is None)
        if chunk is None:
            return  # the order was taken back
        yield chunk


async def _cancel(transaction: asyncpg.Connection, _: Order, jobs: Sequence[UUID], *, last: bool) -> Chunk | None:
    return Chunk(asked=await cancel_all(transaction, jobs))


async def _retry(transaction: asyncpg.Connection, order: Order, jobs: Sequence[UUID], *, last: bool) -> Chunk | None:
    states = await transaction.fetchval(_STANDS, order.batch_id, order.given_at)
    if states is None:
        return None
    rows = await transaction.fetch(_RETRY, jobs, GRACE_SECONDS, states, order.given_at)
    if last and await transaction.fetchval(_RETRIED, order.batch_id, order.given_at):
        await transaction.execute(LOOK_AGAIN, order.batch_id)
    return Chunk(posts=[post_of(row) for row in rows])


async def _delete(transaction: asyncpg.Connection, order: Order, jobs: Sequence[UUID], *, last: bool) -> Chunk | None:
    rows = await transaction.fetch(_LOCK, jobs)
    # a statement of its own: the attempt that a record wrote while we waited for the lock is seen only now
    await transaction.execute(_DELETE, [row["id"] for row in rows], BURIED)
    if last:
        await transaction.execute(_GONE, order.batch_id)
    return Chunk()


def _order(row: Row) -> Order:
    for do in (Do.DELETE, Do.RETRY, Do.CANCEL):  # a deleted batch needs nothing else
        if row[f"{do}_requested_at"] is not None:
            return Order(do, row["id"], row[f"{do}_requested_at"], row["pending"])
    raise AssertionError("it has no order")
