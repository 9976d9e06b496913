"""Jobs whose worker is gone: who is dead, and a fresh message for what nobody has taken over.

The broker's own redelivery comes first: a dead process's connection closes, its messages come again and the claim takes
the jobs over.  What is left after a grace lost its message too, and is sent again: run+1 and the outbox row in one
statement, a limit a call, and for one job at doubling intervals.

Never decides whether it may judge at all; the scheduler's Reaper knows how long it has been watching.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from persistence.store.database import Database


@dataclass(frozen=True, slots=True)
class Dead:
    """Processes that count as dead at this moment of the database's clock."""

    sessions: Sequence[UUID]
    now: datetime


# The update of no row takes the lock that a heartbeat needs: what keeps workers from beating keeps us from judging
_DEAD = """
WITH none AS (UPDATE workers SET ended_at = ended_at WHERE false RETURNING session), bound AS MATERIALIZED (
  SELECT clock_timestamp() AS now
), silent AS (
  SELECT session FROM workers, bound
   WHERE ended_at IS NULL AND heartbeat_at < now - make_interval(secs => $1)
), holders AS MATERIALIZED (
  SELECT DISTINCT holder FROM jobs WHERE state = 'running' AND orphaned_at IS NULL
), ended AS (
  SELECT h.holder FROM bound, holders h LEFT JOIN workers w ON w.session = h.holder
   WHERE w.session IS NULL OR w.ended_at < now - make_interval(secs => $2)
)
SELECT now, ARRAY(SELECT session FROM silent UNION SELECT holder FROM ended WHERE holder IS NOT NULL) AS sessions
  FROM bound
"""

_SEND_ORPHANS = """
WITH found AS MATERIALIZED (
  SELECT id FROM jobs
   WHERE state = 'running' AND orphaned_at < (SELECT clock_timestamp()) - $2::interval
     AND (rescued_at IS NULL OR rescued_at < (SELECT clock_timestamp()) - $3::interval * 2 ^ least(rescues, 10))
   LIMIT $1
), locked AS MATERIALIZED (
  SELECT id, cancel_requested_at IS NOT NULL AS cancelled FROM jobs
   WHERE id = ANY(ARRAY(SELECT id FROM found)) AND state = 'running' AND orphaned_at IS NOT NULL
   ORDER BY id FOR UPDATE SKIP LOCKED
), turned AS (
  UPDATE jobs j
     SET state = CASE WHEN l.cancelled THEN 'cancelled' ELSE 'queued' END,
         finished_at = CASE WHEN l.cancelled THEN clock_timestamp() END,
         run = j.run + (NOT l.cancelled)::int, attempt = greatest(0, j.attempt - (NOT l.cancelled)::int),
         holder = NULL, orphaned_at = NULL, next_attempt_at = NULL, sent_at = clock_timestamp(),
         rescued_at = clock_timestamp(), rescues = least(j.rescues + 1, 1000)
    FROM locked l WHERE j.id = l.id
  RETURNING j.id, j.run, l.cancelled
), posted AS (
  INSERT INTO outbox (job_id, run, because, publish_after)
  SELECT id, run, 'its worker was lost', clock_timestamp() FROM turned WHERE NOT cancelled ORDER BY id
)
SELECT count(*) AS sent FROM turned
"""


async def dead(database: Database, silent: timedelta, ended: timedelta) -> Dead:
    """Those silent for so long, and those that ended so long ago and still hold jobs."""
    row = await database.fetch_one(_DEAD, silent.total_seconds(), ended.total_seconds())
    assert row is not None
    return Dead(row["sessions"], row["now"])


async def send_orphans(database: Database, limit: int, grace: timedelta, again_after: timedelta) -> int:
    """Give orphans that nobody has taken over a fresh message, or their cancellation; says how many."""
    row = await database.fetch_one(_SEND_ORPHANS, limit, grace, again_after)
    assert row is not None
    return int(row["sent"])
