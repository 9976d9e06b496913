"""Fold the counters of batches, and notice when one has ended: its callback is born in that very transaction.

A batch has ended when it is closed and none of its children waits or runs; it ends again whenever that comes true
again (a failed child was sent again, a late one came).  Each end has a number, and the callback's id derives from the
batch and that number, so that an end has one callback whatever is repeated.

The batch's row is locked first, and the sums are read after that: every committed change of a child has its row in
`batch_deltas` in the same commit, so who holds the lock sees an end if there is one.  That two children end at the same
instant on two workers is two rows here.  Nobody else folds or ends that batch meanwhile; others skip it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from persistence.accepting.accept import insert
from persistence.accepting.outbox import Post
from persistence.batches import batch_callbacks
from persistence.store.database import Database, Row
from persistence.tables import COUNTERS

AT_ONCE: Final = 100  # batches a transaction; each may bear a callback

_CHANGED = "SELECT DISTINCT batch_id FROM batch_deltas LIMIT $1"
_LOCK = "SELECT id FROM batches WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"

_FOLD = f"""
WITH taken AS (DELETE FROM batch_deltas WHERE batch_id = ANY($1) RETURNING *), sums AS (
  SELECT batch_id, {", ".join(f"sum({name}) AS {name}" for name in COUNTERS)},
         bool_or(pending > 0 OR running > 0) AS woken  -- it may have ended again since: then this is another end
    FROM taken GROUP BY batch_id
)
UPDATE batches b
   SET {", ".join(f"{name} = b.{name} + s.{name}" for name in COUNTERS)},
       finished_at = CASE WHEN NOT s.woken THEN b.finished_at END, ended_as = CASE WHEN NOT s.woken THEN b.ended_as END
  FROM sums s WHERE b.id = s.batch_id
"""  # noqa: S608 - made of constants

_END = """
UPDATE batches
   SET finished_at = clock_timestamp(), ends = ends + 1, callback_id = NULL,
       ended_as = CASE WHEN completed = total THEN 'completed'
                       WHEN cancel_requested_at IS NOT NULL THEN 'cancelled' ELSE 'failed' END
 WHERE id = ANY($1) AND finished_at IS NULL AND closed_at IS NOT NULL AND pending = 0 AND running = 0
   AND retry_requested_at IS NULL AND delete_requested_at IS NULL
RETURNING *
"""

_CALLED = """
UPDATE batches b SET callback_id = g.callback_id FROM unnest($1::uuid[], $2::uuid[]) AS g(id, callback_id)
 WHERE b.id = g.id
"""

# Of batches that are gone, or never were: `batch_id` is whatever a foreign service wrote into its message
_FORGET = """
DELETE FROM batch_deltas d WHERE d.batch_id = ANY($1) AND NOT EXISTS (SELECT FROM batches b WHERE b.id = d.batch_id)
"""


async def fold(database: Database) -> tuple[int, list[Post]]:
    """One round: how many batches had changed, and the callbacks of those that ended, to publish."""
    changed = [row["batch_id"] for row in await database.fetch(_CHANGED, AT_ONCE)]
    if not changed:
        return 0, []
    async with database.transaction() as transaction:
        ours = [row["id"] for row in await transaction.fetch(_LOCK, changed)]
        posts = await _fold(transaction, ours) if ours else []
        await transaction.execute(_FORGET, sorted(set(changed) - set(ours)))
    return len(changed), posts


async def _fold(transaction: asyncpg.Connection, ours: Sequence[UUID]) -> list[Post]:
    await transaction.execute(_FOLD, ours)
    ended = await transaction.fetch(_END, ours)
    return await _call(transaction, ended) if ended else []


async def _call(transaction: asyncpg.Connection, ended: Sequence[Row]) -> list[Post]:
    """Insert the callbacks of these ends; in this transaction, or an end could be noticed and nobody told."""
    due = await batch_callbacks.of_ends(transaction, ended)
    if not due:
        return []
    posts = await insert(transaction, list(due.values()))
    await transaction.execute(_CALLED, list(due), [callback.id for callback in due.values()])
    return posts
