"""Delete the bytes of what is not kept, then its row: in this order, or nobody would know of the bytes.

    uploading ─(its job no longer runs under this lease)─► dead ─(deleted)─► buried ─(deleted again, a day later)─► gone
    kept ─(replaced, or its job deleted)─► doomed ─(deleted)─► gone

The process of a dead upload may only have been frozen and store its bytes after they were deleted: hence the second
time.  What is taken comes again when it was not settled: another sweeper may take it then, or the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from persistence.artifacts.object_store import ObjectStore
from persistence.store.database import Database

AGAIN_SECONDS: Final = 120.0  # longer than a store's deadline for one that is away
BURIED_SECONDS: Final = 86_400.0  # longer than any process is frozen and then goes on

# the clock is asked once: asked of each row it would bound no index
_TAKE = """
WITH due AS MATERIALIZED (
  SELECT id FROM artifacts WHERE state <> 'kept' AND sweep_after < (SELECT clock_timestamp())
   ORDER BY sweep_after, id LIMIT $1 FOR UPDATE SKIP LOCKED
), judged AS MATERIALIZED (
  SELECT a.id, a.state = 'uploading' AND EXISTS (
           SELECT FROM jobs j WHERE j.id = a.job_id AND j.lease = a.lease AND j.state = 'running') AS lives
    FROM artifacts a WHERE a.id = ANY(ARRAY(SELECT id FROM due))
)
UPDATE artifacts a
   SET sweep_after = clock_timestamp() + make_interval(secs => $2),
       state = CASE WHEN a.state = 'uploading' AND NOT g.lives THEN 'dead' ELSE a.state END
  FROM judged g WHERE a.id = g.id
RETURNING a.id, a.key, g.lives
"""

_SETTLE = """
WITH gone AS (DELETE FROM artifacts WHERE id = ANY($1) AND state IN ('doomed', 'buried'))
UPDATE artifacts SET state = 'buried', sweep_after = clock_timestamp() + make_interval(secs => $2)
 WHERE id = ANY($1) AND state = 'dead'
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """One look."""

    seen: int
    deleted: int


async def sweep(database: Database, store: ObjectStore, limit: int) -> Swept:
    """Delete what is due of that which is not kept, at most so many; ObjectStoreUnavailable leaves it for later."""
    rows = await database.fetch(_TAKE, limit, AGAIN_SECONDS)
    ended = [row for row in rows if not row["lives"]]
    await store.delete([row["key"] for row in ended])
    if ended:
        await database.fetch(_SETTLE, [row["id"] for row in ended], BURIED_SECONDS)
    return Swept(len(rows), len(ended))
