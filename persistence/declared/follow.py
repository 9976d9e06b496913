"""A type has moved to another queue: its waiting jobs follow it.

What waited in the old queue gets a fresh message, which finds the new one; the old copy is stale and acked by whoever
meets it, or lies in a queue that nobody serves and does no harm.  What is far from its time lies in the ladder, which
knows types and not queues: only its row changes.  What a crash in the midst leaves behind, the rescue finds later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from persistence.store.database import Database
from persistence.waits import WAITING

BATCH: Final = 1_000
LEAVES_LADDER_SECONDS: Final = 10.0  # what is due sooner may have left it for the old queue

# found by the index of what waits, and only then locked in the order of ids: a walk over all ids may take for ever
_FOLLOW = f"""
WITH found AS MATERIALIZED (
  SELECT j.id FROM unnest($1::text[], $2::text[]) AS left_behind(type, queue)
    JOIN job_types t ON t.name = left_behind.type AND t.queue <> left_behind.queue
    JOIN jobs j ON j.queue = left_behind.queue AND j.type = left_behind.type AND {WAITING}
   LIMIT $3
), locked AS MATERIALIZED (
  SELECT j.id, t.queue AS home, coalesce(j.next_attempt_at, j.scheduled_for) AS due_at
    FROM jobs j JOIN job_types t ON t.name = j.type
   WHERE j.id = ANY(ARRAY(SELECT id FROM found)) AND {WAITING} AND j.queue <> t.queue ORDER BY j.id FOR UPDATE OF j
), judged AS (
  SELECT id, home, due_at, coalesce(due_at <= clock_timestamp() + make_interval(secs => $4), true) AS sent FROM locked
), turned AS (
  UPDATE jobs j
     SET queue = g.home, run = j.run + g.sent::int,
         sent_at = CASE WHEN g.sent THEN clock_timestamp() ELSE j.sent_at END
    FROM judged g WHERE j.id = g.id
  RETURNING j.id, j.run, g.due_at, g.sent
), posted AS (
  INSERT INTO outbox (job_id, run, due_at, because, publish_after)
  SELECT id, run, due_at, 'its type moved to another queue', clock_timestamp() FROM turned WHERE sent ORDER BY id
)
SELECT (SELECT count(*) FROM found) AS found, (SELECT count(*) FROM turned) AS turned
"""  # noqa: S608 - made of a constant


async def follow(database: Database, moved: Mapping[str, str]) -> int:
    """Bring the jobs that wait in these types' old queues to the new ones; says how many that were."""
    total = 0
    while True:
        row = await database.fetch_one(_FOLLOW, list(moved), list(moved.values()), BATCH, LEAVES_LADDER_SECONDS)
        assert row is not None
        total += int(row["turned"])
        if row["found"] < BATCH:
            return total
