"""Run a past range of due times: counted first, then made a chunk at a time by the clock that holds the segment.

A due time that was fired, waits, or was skipped because a run was open, is left alone; what was missed, or skipped for
want of its type, is run now.  Where runs must not overlap they wait for one another, whatever waits already: a backfill
of a schedule that skips does not skip.  Each step compares how far the last one came, so two clocks make no run twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from persistence.accepting.accept import GRACE_SECONDS
from persistence.accepting.births import columns
from persistence.accepting.submission import Submission
from persistence.declared.job_types import JobType
from persistence.schedules.fire import NO_JOBS, Fired, posts_of
from persistence.schedules.job import BORN, TYPE, type_of
from persistence.schedules.schedule import COLUMNS, Overlap, Schedule, schedule_of
from persistence.store.database import Database, Row


@dataclass(frozen=True, slots=True)
class Backfill:
    """A range (after, until] that somebody wants to be run, and how far that is."""

    id: UUID
    schedule_id: UUID
    after: datetime
    until: datetime
    reached: datetime  # up to here it is done
    runs: int  # as counted when it began
    made: int
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ordered:
    """A backfill that is to be carried on with, its schedule and the type of its jobs."""

    backfill: Backfill
    schedule: Schedule
    job_type: JobType | None


_TAKEN = "r.fate IN ('fired', 'buffered') OR r.fate = 'skipped' AND r.because IN ('overlap', 'one_waits')"

_HOLES: Final = f"""
SELECT due FROM unnest($2::timestamptz[]) due
 WHERE NOT EXISTS (SELECT FROM schedule_runs r WHERE schedule_id = $1 AND due_at = due AND ({_TAKEN}) OFFSET 0)
 ORDER BY due
"""  # noqa: S608 - made of a constant

_COLUMNS: Final = tuple(Backfill.__slots__)
_ALL: Final = ", ".join(f"b.{name}" for name in _COLUMNS)

_BEGIN: Final = f"""
WITH b AS (
  INSERT INTO schedule_backfills (id, schedule_id, segment, after, until, reached, runs)
  SELECT $1, id, segment, $3, $4, $3, $5 FROM schedules WHERE id = $2
      ON CONFLICT (id) DO NOTHING
  RETURNING *
)
SELECT {_ALL} FROM b
"""  # noqa: S608 - made of constants

_OF_SCHEDULE: Final = f"""
SELECT {_ALL} FROM schedule_backfills b WHERE schedule_id = $1 ORDER BY created_at DESC LIMIT $2
"""  # noqa: S608 - made of a constant

_ORDERED: Final = f"""
SELECT {COLUMNS}, {TYPE}, {", ".join(f"b.{name} AS backfill_{name}" for name in _COLUMNS)}
  FROM (SELECT * FROM schedule_backfills WHERE finished_at IS NULL AND (segment = ANY($1::int2[])) IS TRUE
         ORDER BY segment, id LIMIT $2) b
 CROSS JOIN LATERAL (SELECT * FROM schedules WHERE id = b.schedule_id OFFSET 0) s
  LEFT JOIN job_types t ON t.name = s.job_type
"""  # noqa: S608 - made of constants

# The schedule first, as who fires has it; and no look at what has run by way of a lock, which who closes it may hold
_CARRY_ON: Final = f"""
WITH s AS MATERIALIZED (
  SELECT id FROM schedules WHERE id = $22 FOR SHARE
), b AS MATERIALIZED (
  SELECT b.id, b.schedule_id, b.segment FROM schedule_backfills b
   WHERE b.id = $16 AND b.reached = $17 AND b.finished_at IS NULL AND b.schedule_id = (SELECT id FROM s) FOR UPDATE
), made AS (
  INSERT INTO schedule_runs AS r (schedule_id, due_at, segment, kind, fate, job_id, fires_at)
  SELECT b.schedule_id, d.due_at, b.segment, 'backfill', CASE WHEN $21 THEN 'buffered' ELSE 'fired' END,
         CASE WHEN NOT $21 THEN d.job_id END, d.due_at
    FROM b CROSS JOIN unnest($18::timestamptz[], $19::uuid[]) AS d(due_at, job_id)
   WHERE NOT EXISTS (SELECT FROM schedule_runs r
                      WHERE r.schedule_id = b.schedule_id AND r.due_at = d.due_at AND ({_TAKEN}) OFFSET 0)
   ORDER BY d.due_at
      ON CONFLICT (schedule_id, due_at) DO UPDATE
     SET kind = excluded.kind, fate = excluded.fate, because = NULL, job_id = excluded.job_id,
         created_at = excluded.created_at
   WHERE ({_TAKEN}) IS NOT TRUE
  RETURNING r.schedule_id, r.fate, r.job_id
), {BORN}, reached AS (
  UPDATE schedule_backfills
     SET reached = $20, made = made + (SELECT count(*) FROM made),
         finished_at = CASE WHEN $20 >= until THEN clock_timestamp() END
   WHERE id = (SELECT id FROM b)
)
SELECT made.job_id, posted.seq FROM made JOIN posted ON posted.job_id = made.job_id
"""  # noqa: S608 - made of constants


async def holes(database: Database, schedule_id: UUID, dues: Sequence[datetime]) -> list[datetime]:
    """Those of these due times that a backfill would run."""
    return [row["due"] for row in await database.read(_HOLES, schedule_id, list(dues))]


async def begin(
    database: Database, backfill_id: UUID, schedule: Schedule, within: tuple[datetime, datetime], runs: int
) -> Backfill | None:
    """Write down that its due times after the first of these instants, up to the second, are to be run.

    None if its id is taken, or the schedule is gone.
    """
    row = await database.fetch_one(_BEGIN, backfill_id, schedule.id, *within, runs)
    return _backfill(row) if row else None


async def backfills(database: Database, schedule_id: UUID, limit: int) -> list[Backfill]:
    """Those of a schedule, newest first."""
    return [_backfill(row) for row in await database.read(_OF_SCHEDULE, schedule_id, limit)]


async def ordered(connection: asyncpg.Connection, segments: Sequence[int], limit: int) -> list[Ordered]:
    """Those that are not done."""
    rows = await connection.fetch(_ORDERED, list(segments), limit)
    return [Ordered(_backfill(row, "backfill_"), schedule_of(row), type_of(row)) for row in rows]


async def carry_on(
    connection: asyncpg.Connection, order: Ordered, jobs: Sequence[tuple[datetime, Submission]], reached: datetime
) -> Fired:
    """Make the runs of these due times, all up to `reached`; at `until` it is finished.

    Where runs may overlap they fire at once, else they wait for one another.
    """
    born = [job for _, job in jobs]
    waits = order.schedule.plan.overlap not in (Overlap.ALLOW, Overlap.CANCEL_PREVIOUS)
    rows = await connection.fetch(
        _CARRY_ON,
        *(columns(born) or NO_JOBS),
        GRACE_SECONDS,
        order.backfill.id,
        order.backfill.reached,
        [due for due, _ in jobs],
        [job.id for job in born],
        reached,
        waits,
        order.schedule.id,
    )
    return Fired(posts_of({job.id: job for job in born}, rows))


def _backfill(row: Row, prefix: str = "") -> Backfill:
    return Backfill(**{name: row[f"{prefix}{name}"] for name in _COLUMNS})
