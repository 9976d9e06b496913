"""Read runs: a schedule's, newest due time first, each with its job's state; and the one that a job belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from persistence.schedules.schedule import RUN_COLUMNS, Run, run_of
from persistence.store.database import Database

_PAGE = f"""
SELECT {RUN_COLUMNS}, j.state AS job_state
  FROM (SELECT * FROM schedule_runs
         WHERE schedule_id = $1 AND ($2::text IS NULL OR fate = $2) AND due_at < coalesce($3, 'infinity'::timestamptz)
         ORDER BY schedule_id DESC, due_at DESC LIMIT $4) r
  LEFT JOIN LATERAL (SELECT state FROM jobs WHERE id = r.job_id OFFSET 0) j ON true
 ORDER BY r.due_at DESC
"""  # noqa: S608 - made of a constant

_LAST = f"""
SELECT {RUN_COLUMNS}, j.state AS job_state
  FROM unnest((SELECT $1::uuid[])) AS wanted(id) CROSS JOIN LATERAL (
         SELECT * FROM schedule_runs WHERE schedule_id = wanted.id AND fate = 'fired'
          ORDER BY schedule_id DESC, due_at DESC LIMIT 1) r
  LEFT JOIN LATERAL (SELECT state FROM jobs WHERE id = r.job_id OFFSET 0) j ON true
"""  # noqa: S608 - made of a constant

_OF_JOB = f"SELECT {RUN_COLUMNS}, NULL AS job_state FROM schedule_runs r WHERE r.job_id = $1"  # noqa: S608


async def page_of_runs(
    database: Database, schedule_id: UUID, limit: int, *, fate: str | None = None, before: datetime | None = None
) -> list[Run]:
    """At most so many, from due times before that one."""
    return [run_of(row) for row in await database.read(_PAGE, schedule_id, fate, before, limit)]


async def last_runs(database: Database, schedule_ids: Sequence[UUID]) -> dict[UUID, Run]:
    """The newest run of each of these that fired."""
    return {row["schedule_id"]: run_of(row) for row in await database.read(_LAST, list(schedule_ids))}


async def run_of_job(database: Database, job_id: UUID) -> Run | None:
    """The run that this job was made for; its state is the job's, which the caller has."""
    rows = await database.read(_OF_JOB, job_id)
    return run_of(rows[0]) if rows else None
