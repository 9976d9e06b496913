"""Delete what nobody needs any more, a small batch at a time: finished jobs with their attempts, logs and
artifacts, and old traces (the tombstones of jobs, processes that ended, what ended two weeks ago of redrives by filter,
batches and backfills, replies that nobody could be given, hosts that nobody has visited for a month).

A job that could still get a message leaves a tombstone until the last possible one has arrived, so that it never comes
back to life.  Jobs younger than the oldest birth that may still be queued are kept: their birth would be recorded
again.  Dead letters are never deleted here.  What is forgotten is counted in the same statement (forgotten/), for who
wants to know later how many there were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from persistence.artifacts.doom import DOOM
from persistence.forgotten.count import COUNTED, forget_counts
from persistence.frontiers.forget import forget_frontiers
from persistence.hosts.forget import forget_hosts
from persistence.receipts.forget import forget_receipts
from persistence.store.database import Database
from wire.states import State

MARGIN: Final = timedelta(days=1)  # for what an outage holds up, on top of the last time a message was due


@dataclass(frozen=True, slots=True)
class Rule:
    """Which jobs are forgotten: those that ended in this state so long ago, and were born before."""

    state: State
    ttl: timedelta
    born_before: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """How far a pass has come."""

    created_at: datetime
    id: UUID


# `created_at < ` the cutoff bounds the walk: what finished so long ago was created before it.  The clock is asked once:
# asked of each row it bounds nothing, and with nothing to forget all jobs of the state were looked at, every minute
_FORGET = f"""
WITH seen AS MATERIALIZED (
  SELECT id, created_at, finished_at FROM jobs
   WHERE state = $1 AND created_at < (SELECT least(clock_timestamp() - $2::interval, $3))
     AND (created_at, id) > ($4, $5)
   ORDER BY created_at, id LIMIT $6
), locked AS MATERIALIZED (
  SELECT id, scheduled_for, next_attempt_at, created_at, type, attempt, started_at, finished_at FROM jobs
   WHERE id = ANY(ARRAY(SELECT id FROM seen WHERE finished_at < clock_timestamp() - $2::interval)) AND state = $1
   ORDER BY id FOR UPDATE SKIP LOCKED
), buried AS (
  INSERT INTO tombstones (id, until)
  SELECT id, until FROM (
    SELECT id, greatest(scheduled_for, next_attempt_at, created_at) + $7::interval AS until FROM locked) t
   WHERE until > clock_timestamp() ORDER BY id
      ON CONFLICT (id) DO UPDATE SET until = greatest(tombstones.until, excluded.until)
), counted AS (
  {COUNTED}
), gone AS (
  DELETE FROM jobs j USING locked WHERE j.id = locked.id RETURNING j.id
), forgotten AS (
  DELETE FROM attempts a WHERE a.job_id = ANY(ARRAY(SELECT id FROM locked))
), silenced AS (
  DELETE FROM attempt_logs l WHERE l.job_id = ANY(ARRAY(SELECT id FROM locked))
), doomed AS (
  {DOOM} job_id = ANY(ARRAY(SELECT id FROM locked))
)
SELECT (SELECT count(*) FROM gone) AS gone, seen.created_at, seen.id
  FROM seen ORDER BY created_at DESC, id DESC LIMIT 1
"""  # noqa: S608 - made of a constant

_TOMBSTONES = """
DELETE FROM tombstones
 WHERE id IN (SELECT id FROM tombstones WHERE until < clock_timestamp() LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id
"""

_WORKERS = """
DELETE FROM workers
 WHERE session IN (SELECT session FROM workers WHERE ended_at < clock_timestamp() - interval '1 day' LIMIT $1
                      FOR UPDATE SKIP LOCKED) RETURNING session
"""

_REDRIVES = """
DELETE FROM redrive_runs
 WHERE id IN (SELECT id FROM redrive_runs WHERE finished_at < clock_timestamp() - interval '14 days' LIMIT $1
                 FOR UPDATE SKIP LOCKED) RETURNING id
"""

_REPLIES = """
DELETE FROM replies
 WHERE id IN (SELECT id FROM replies WHERE lost_at < clock_timestamp() - interval '14 days' LIMIT $1
                 FOR UPDATE SKIP LOCKED) RETURNING id
"""

_BATCHES = """
DELETE FROM batches
 WHERE id IN (SELECT id FROM batches WHERE finished_at < clock_timestamp() - interval '14 days'
                 AND NOT EXISTS (SELECT FROM batch_deltas d WHERE d.batch_id = batches.id)
               LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id
"""

_BACKFILLS = """
DELETE FROM schedule_backfills
 WHERE id IN (SELECT id FROM schedule_backfills WHERE finished_at < clock_timestamp() - interval '14 days' LIMIT $1
                 FOR UPDATE SKIP LOCKED) RETURNING id
"""

START: Final = Place(datetime.fromisoformat("1970-01-01T00:00:00+00:00"), UUID(int=0))


async def forget_jobs(database: Database, rule: Rule, after: Place, limit: int) -> tuple[int, Place | None]:
    """Look at the next so many; how many of them were deleted, and where to go on: None at the end."""
    row = await database.fetch_one(
        _FORGET, rule.state.value, rule.ttl, rule.born_before, after.created_at, after.id, limit, MARGIN
    )
    return (0, None) if row is None else (row["gone"], Place(row["created_at"], row["id"]))


async def forget_traces(database: Database, limit: int) -> Mapping[str, int]:
    """Delete what has had its day, from tombstones to receipts; how many of each."""
    return {
        "tombstones": len(await database.fetch(_TOMBSTONES, limit)),
        "workers": len(await database.fetch(_WORKERS, limit)),
        "redrives": len(await database.fetch(_REDRIVES, limit)),
        "replies": len(await database.fetch(_REPLIES, limit)),
        "batches": len(await database.fetch(_BATCHES, limit)),
        "backfills": len(await database.fetch(_BACKFILLS, limit)),
        "frontiers": await forget_frontiers(database, limit),
        "hosts": await forget_hosts(database, limit),
        "counts": await forget_counts(database, limit),
        "receipts": await forget_receipts(database, limit),
    }
