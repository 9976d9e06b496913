"""Close runs whose job has ended: how it ended is written beside them, and failures in a row are counted.

The open runs are walked in small steps, so that a backlog of a million open ones costs no step more than another.  The
very statement that counts pauses a schedule that has failed so often in a row as its plan allows.  A run that somebody
else is about to close is left to him; a cancelled one is neither a failure nor a success.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg


class Place(NamedTuple):
    """How far a walk over the open runs has come."""

    segment: int
    schedule_id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """What a step has done."""

    runs: int  # that have ended
    paused: list[UUID]  # schedules that failed too often in a row
    after: Place | None  # where to go on; None at the end


FIRST: Final = Place(-1, UUID(int=0), datetime.fromisoformat("1970-01-01T00:00:00+00:00"))

# A job that is gone has ended, nobody knows how.  The schedules are locked before their runs, as who fires has it: he
# waits for who writes to a run that is there already, were it only to find that it is
_CLOSE = """
WITH seen AS MATERIALIZED (
  SELECT segment, schedule_id, due_at, job_id FROM schedule_runs
   WHERE fate = 'fired' AND ended_at IS NULL AND (segment = ANY($1::int2[])) IS TRUE
     AND (segment, schedule_id, due_at) > ($2, $3, $4)
   ORDER BY segment, schedule_id, due_at LIMIT $5
), ended AS MATERIALIZED (
  SELECT seen.*, j.state AS outcome, coalesce(j.finished_at, clock_timestamp()) AS ended_at
    FROM seen LEFT JOIN LATERAL (SELECT state, finished_at FROM jobs WHERE id = seen.job_id OFFSET 0) j ON true
   WHERE j.state IS NULL OR j.state IN ('completed', 'failed', 'cancelled', 'expired')
), s AS MATERIALIZED (
  SELECT s.* FROM (SELECT DISTINCT schedule_id FROM ended ORDER BY schedule_id) e CROSS JOIN LATERAL (
         SELECT id, state, failures_in_a_row, pause_after_failures FROM schedules
          WHERE id = e.schedule_id FOR UPDATE OFFSET 0) s
), held AS MATERIALIZED (
  SELECT e.* FROM ended e CROSS JOIN LATERAL (
         SELECT FROM schedule_runs r
          WHERE r.schedule_id = e.schedule_id AND r.due_at = e.due_at AND r.ended_at IS NULL
            AND (SELECT count(*) FROM s) >= 0  -- all of them are locked by now
            FOR UPDATE SKIP LOCKED OFFSET 0) r
), closed AS (
  UPDATE schedule_runs r SET ended_at = h.ended_at, outcome = h.outcome
    FROM held h WHERE r.schedule_id = h.schedule_id AND r.due_at = h.due_at
  RETURNING r.schedule_id, r.outcome, r.ended_at
), tally AS (
  SELECT schedule_id, bool_or(outcome = 'completed') AS renewed,
         count(*) FILTER (WHERE outcome = 'failed' AND (ended_at > well_at OR well_at IS NULL)) AS failed
    FROM (SELECT *, max(ended_at) FILTER (WHERE outcome = 'completed') OVER (PARTITION BY schedule_id) AS well_at
            FROM closed) c
   GROUP BY schedule_id
), turned AS (
  SELECT s.*, CASE WHEN t.renewed THEN t.failed ELSE s.failures_in_a_row + t.failed END AS failures
    FROM tally t JOIN s ON s.id = t.schedule_id WHERE t.failed > 0 OR s.failures_in_a_row > 0
), counted AS (
  UPDATE schedules
     SET failures_in_a_row = n.failures,
         state = CASE WHEN n.too_many THEN 'paused' ELSE schedules.state END,
         paused_because = CASE WHEN n.too_many THEN 'failures' ELSE schedules.paused_because END,
         paused_note = CASE WHEN n.too_many THEN n.failures || ' failed in a row' ELSE schedules.paused_note END,
         paused_at = CASE WHEN n.too_many THEN clock_timestamp() ELSE schedules.paused_at END,
         next_due = CASE WHEN NOT n.too_many THEN schedules.next_due END,
         next_fire_at = CASE WHEN NOT n.too_many THEN schedules.next_fire_at END,
         version = schedules.version + n.too_many::int
    FROM (SELECT id, failures, (state = 'active' AND failures >= pause_after_failures) IS TRUE AS too_many
            FROM turned) n
   WHERE schedules.id = n.id
  RETURNING n.id, n.too_many
)
SELECT (SELECT count(*) FROM closed) AS runs, ARRAY(SELECT id FROM counted WHERE too_many) AS paused,
       count(*) OVER () AS seen, segment, schedule_id, due_at
  FROM seen ORDER BY segment DESC, schedule_id DESC, due_at DESC LIMIT 1
"""


async def close(connection: asyncpg.Connection, segments: Sequence[int], after: Place | None, limit: int) -> Closed:
    """Look at the next so many open runs of these segments, from the first one when `after` is None."""
    row = await connection.fetchrow(_CLOSE, list(segments), *(after or FIRST), limit)
    if row is None:
        return Closed(0, [], None)
    place = Place(row["segment"], row["schedule_id"], row["due_at"]) if row["seen"] == limit else None
    return Closed(row["runs"], row["paused"], place)
