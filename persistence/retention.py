"""Delete what nobody needs any more, a small batch at a time: finished jobs with their attempts, and old traces (the
tombstones of jobs, processes that ended, redrives by filter that ended two weeks ago).

A job that could still get a message leaves a tombstone until the last possible one has arrived, so that it never comes
back to life.  Jobs younger than the oldest birth that may still be queued are kept: their birth would be recorded
again.  Dead letters are never deleted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from persistence.database import Database
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


# `created_at < ` the cutoff bounds the walk: what finished so long ago was created before it
_FORGET = """
WITH seen AS MATERIALIZED (
  SELECT id, created_at, finished_at FROM jobs
   WHERE state = $1 AND created_at < least(clock_timestamp() - $2::interval, $3)
     AND (created_at, id) > ($4, $5)
   ORDER BY created_at, id LIMIT $6
), locked AS MATERIALIZED (
  SELECT id, scheduled_for, next_attempt_at, created_at FROM jobs
   WHERE id = ANY(ARRAY(SELECT id FROM seen WHERE finished_at < clock_timestamp() - $2::interval)) AND state = $1
   ORDER BY id FOR UPDATE SKIP LOCKED
), buried AS (
  INSERT INTO tombstones (id, until)
  SELECT id, until FROM (
    SELECT id, greatest(scheduled_for, next_attempt_at, created_at) + $7::interval AS until FROM locked) t
   WHERE until > clock_timestamp() ORDER BY id
      ON CONFLICT (id) DO UPDATE SET until = greatest(tombstones.until, excluded.until)
), gone AS (
  DELETE FROM jobs j USING locked WHERE j.id = locked.id RETURNING j.id
), forgotten AS (
  DELETE FROM attempts a WHERE a.job_id = ANY(ARRAY(SELECT id FROM locked))
)
SELECT (SELECT count(*) FROM gone) AS gone, seen.created_at, seen.id
  FROM seen ORDER BY created_at DESC, id DESC LIMIT 1
"""

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

START: Final = Place(datetime.fromisoformat("1970-01-01T00:00:00+00:00"), UUID(int=0))


async def forget_jobs(database: Database, rule: Rule, after: Place, limit: int) -> tuple[int, Place | None]:
    """Look at the next so many; how many of them were deleted, and where to go on: None at the end."""
    row = await database.fetch_one(
        _FORGET, rule.state.value, rule.ttl, rule.born_before, after.created_at, after.id, limit, MARGIN
    )
    return (0, None) if row is None else (row["gone"], Place(row["created_at"], row["id"]))


async def forget_traces(database: Database, limit: int) -> Mapping[str, int]:
    """Delete tombstones, workers and redrives that have had their day; how many of each."""
    return {
        "tombstones": len(await database.fetch(_TOMBSTONES, limit)),
        "workers": len(await database.fetch(_WORKERS, limit)),
        "redrives": len(await database.fetch(_REDRIVES, limit)),
    }
