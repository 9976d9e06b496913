"""Bury a dead process: its end, its orphans and who is to blame are written in one statement, once.

A job that has been in one crash is a suspect.  A crash is counted for all that had started in the process, and the
more of them a job has seen the longer it stands alone the next time (actors/lane/trial.py).  It convicts only the sole
suspect among them, or the job that the process itself named; after three convictions the job fails as `poison` and is
never started again.  Its neighbours become suspects at most, and are never convicted beside another one.  All jobs of
a process are judged together, because one after the other each would look like the only suspect.

Orphans stay `running` with their lease: the broker's redelivery takes them over, or the rescue sends them again, or
the process turns out to live and keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from persistence.store.database import Database
from wire.metrics import table as metrics
from wire.states import Reason

CONVICTIONS: Final = 3

_BURY = """
WITH known AS MATERIALIZED (
  SELECT session FROM workers
   WHERE session = ANY($1) AND ($2::float8 IS NULL OR ended_at IS NOT NULL
                                OR heartbeat_at < clock_timestamp() - make_interval(secs => $2))
   ORDER BY session FOR UPDATE
), ended AS (
  UPDATE workers w SET ended_at = coalesce(w.ended_at, clock_timestamp()), consuming = false
    FROM known WHERE w.session = known.session
  RETURNING w.session
), dead AS MATERIALIZED (
  SELECT session FROM ended
   UNION ALL SELECT g.session FROM unnest($1::uuid[]) AS g(session)
              WHERE NOT EXISTS (SELECT FROM workers w WHERE w.session = g.session)
), held AS MATERIALIZED (
  SELECT id, holder, run, lease, attempt, started_at, crashes, convictions, cancel_requested_at FROM jobs
   WHERE state = 'running' AND orphaned_at IS NULL AND holder IN (SELECT session FROM dead) ORDER BY id FOR UPDATE
), judged AS MATERIALIZED (
  SELECT held.*, CASE
           WHEN $3::uuid[] IS NOT NULL THEN held.id = ANY($3)
           ELSE crashes > 0 AND count(*) FILTER (WHERE crashes > 0) OVER (PARTITION BY holder) = 1 END AS convicted
    FROM held
), charged AS (
  UPDATE jobs j
     SET orphaned_at = clock_timestamp(), convictions = j.convictions + g.convicted::int,
         crashes = least(j.crashes + (g.convicted OR $3::uuid[] IS NULL)::int, 1000)
    FROM judged g WHERE j.id = g.id AND j.convictions + g.convicted::int < $4 AND g.cancel_requested_at IS NULL
), ended_too AS (
  UPDATE jobs j
     SET state = CASE WHEN g.cancel_requested_at IS NULL THEN 'failed' ELSE 'cancelled' END,
         reason = CASE WHEN g.cancel_requested_at IS NULL THEN 'poison' END,
         convictions = j.convictions + g.convicted::int, crashes = j.crashes + g.convicted::int,
         error_type = 'WorkerLost', error_message = 'the worker process ended while the job ran',
         finished_at = clock_timestamp(), next_attempt_at = NULL
    FROM judged g WHERE j.id = g.id AND (j.convictions + g.convicted::int >= $4 OR g.cancel_requested_at IS NOT NULL)
  RETURNING j.type, j.reason
), noted AS (
  INSERT INTO attempts (job_id, lease, run, attempt, outcome, reason, worker, started_at, finished_at, error_type,
                        error_message)
  SELECT g.id, g.lease, g.run, g.attempt,
         CASE WHEN $3::uuid[] IS NOT NULL AND NOT g.convicted THEN 'interrupted' ELSE 'crashed' END,
         CASE WHEN g.convictions + g.convicted::int >= $4 AND g.cancel_requested_at IS NULL THEN 'poison' END,
         coalesce(w.name, g.holder::text), g.started_at, clock_timestamp(), 'WorkerLost',
         'the worker process ended while the job ran'
    FROM judged g LEFT JOIN workers w ON w.session = g.holder ORDER BY g.id
      ON CONFLICT DO NOTHING
)
SELECT (SELECT count(*) FROM judged) AS orphans,
       ARRAY(SELECT type FROM ended_too WHERE reason = 'poison') AS poisoned
"""


async def bury(
    database: Database,
    sessions: Sequence[UUID],
    *,
    silent_seconds: float | None = None,
    blamed: Sequence[UUID] | None = None,
) -> int:
    """These processes are gone; says how many jobs that leaves behind.

    With `silent_seconds` one that has beaten meanwhile is left alone.  `blamed` names the jobs at fault where that is
    known (none, for a process that ended in peace); else the suspects are judged.
    """
    if not sessions:
        return 0
    named = None if blamed is None else list(blamed)
    row = await database.fetch_one(_BURY, list(sessions), silent_seconds, named, CONVICTIONS)
    assert row is not None
    for job_type in row["poisoned"]:
        metrics.FAILURES.add(job_type, Reason.POISON)
    return int(row["orphans"])
