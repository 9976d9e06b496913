"""Start runs that waited for the end of the one before: of `buffer_one`, `buffer_all`, and of backfills.

Of a schedule the oldest one starts, when none is open; while a person has paused it, nothing does.  One that waited
until the schedule had had all its runs is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from persistence.accepting.accept import GRACE_SECONDS
from persistence.accepting.births import columns
from persistence.accepting.submission import Submission
from persistence.declared.job_types import JobType
from persistence.schedules.fire import NO_JOBS, OPEN, Fired, posts_of
from persistence.schedules.job import BORN, TYPE, type_of
from persistence.schedules.schedule import COLUMNS, Fate, Schedule, schedule_of


@dataclass(frozen=True, slots=True)
class Waiting:
    """The oldest run that waits, of a schedule of which none is open."""

    schedule: Schedule
    due_at: datetime
    job_type: JobType | None


# One look into the index a schedule, however many runs of it wait
_WAITING = f"""
WITH RECURSIVE oldest AS (
  (SELECT segment, schedule_id, due_at FROM schedule_runs WHERE fate = 'buffered'
    ORDER BY segment, schedule_id, due_at LIMIT 1)
   UNION ALL
  SELECT later.* FROM oldest CROSS JOIN LATERAL (
         SELECT segment, schedule_id, due_at FROM schedule_runs
          WHERE fate = 'buffered' AND (segment, schedule_id) > (oldest.segment, oldest.schedule_id)
          ORDER BY segment, schedule_id, due_at LIMIT 1) later
)
SELECT {COLUMNS}, {TYPE}, oldest.due_at
  FROM oldest CROSS JOIN LATERAL (
         SELECT * FROM schedules WHERE id = oldest.schedule_id AND state <> 'paused' OFFSET 0) s
  LEFT JOIN job_types t ON t.name = s.job_type
 WHERE oldest.segment = ANY($1::int2[]) AND (s.overlap IN ('allow', 'cancel_previous') OR NOT {OPEN})
 LIMIT $2
"""  # noqa: S608 - made of constants

_START = f"""
WITH s AS MATERIALIZED (
  SELECT found.*, a.*
    FROM (SELECT * FROM unnest((SELECT $16::uuid[]), $17::timestamptz[], $18::uuid[])
                     AS a(schedule_id, due_at, job_id) ORDER BY schedule_id) a
   CROSS JOIN LATERAL (
     SELECT id, segment, overlap, fired, max_runs FROM schedules WHERE id = a.schedule_id AND state <> 'paused'
        FOR UPDATE OFFSET 0) found
), judged AS MATERIALIZED (
  SELECT s.id, s.due_at, s.job_id, s.max_runs, s.fired, w.kind, CASE
      WHEN w.kind <> 'backfill' AND s.fired >= s.max_runs THEN 'over'
      WHEN s.job_id IS NULL THEN 'type_unknown' END AS because
    FROM s CROSS JOIN LATERAL (
         SELECT kind FROM schedule_runs WHERE schedule_id = s.id AND due_at = s.due_at AND fate = 'buffered' OFFSET 0) w
   WHERE s.overlap IN ('allow', 'cancel_previous') OR NOT {OPEN}
), made AS (
  UPDATE schedule_runs r
     SET fate = CASE WHEN j.because IS NULL THEN 'fired' ELSE 'skipped' END, because = j.because,
         job_id = CASE WHEN j.because IS NULL THEN j.job_id END
    FROM judged j WHERE r.schedule_id = j.id AND r.due_at = j.due_at AND r.fate = 'buffered'
  RETURNING r.schedule_id, r.fate, r.job_id, r.kind
), {BORN}, moved AS (
  UPDATE schedules s
     SET fired = s.fired + n.fired, skipped = s.skipped + n.skipped,
         state = CASE WHEN n.over THEN 'ended' ELSE s.state END,
         next_due = CASE WHEN NOT n.over THEN s.next_due END,
         next_fire_at = CASE WHEN NOT n.over THEN s.next_fire_at END
    FROM (SELECT j.id, c.fired, c.skipped, (j.fired + c.fired >= j.max_runs) IS TRUE AS over
            FROM judged j JOIN made m ON m.schedule_id = j.id
           CROSS JOIN LATERAL (SELECT (m.fate = 'fired' AND m.kind <> 'backfill')::int AS fired,
                                      (m.fate = 'skipped')::int AS skipped) c) n
   WHERE s.id = n.id
)
SELECT made.schedule_id AS id, made.fate, made.job_id, posted.seq
  FROM made LEFT JOIN posted ON posted.job_id = made.job_id
"""  # noqa: S608 - made of constants


async def waiting(connection: asyncpg.Connection, segments: Sequence[int], limit: int) -> list[Waiting]:
    """At most so many that may start."""
    rows = await connection.fetch(_WAITING, list(segments), limit)
    return [Waiting(schedule_of(row), row["due_at"], type_of(row)) for row in rows]


async def start(connection: asyncpg.Connection, runs: Sequence[tuple[Waiting, Submission | None]]) -> Fired:
    """Start these; without a job one is skipped, because nobody has registered its type."""
    if not runs:
        return Fired()
    jobs = [job for _, job in runs if job]
    rows = await connection.fetch(
        _START,
        *(columns(jobs) or NO_JOBS),
        GRACE_SECONDS,
        [run.schedule.id for run, _ in runs],
        [run.due_at for run, _ in runs],
        [job and job.id for _, job in runs],
    )
    return Fired(posts_of({job.id: job for job in jobs}, rows), {row["id"]: Fate(row["fate"]) for row in rows})
