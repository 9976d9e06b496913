"""Run a schedule's job now, because a person says so: whatever its state, and beside a run that is still open.

Its due time is the instant at which it was asked for.  It counts for no limit, and for the next run it is one before.
No clock is told: nothing of what it waits for has changed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from persistence.accepting.accept import GRACE_SECONDS
from persistence.accepting.births import columns
from persistence.accepting.outbox import Post
from persistence.accepting.submission import Submission
from persistence.schedules.fire import posts_of
from persistence.schedules.job import BORN
from persistence.schedules.schedule import RUN_COLUMNS, Run, Schedule, run_of
from persistence.store.database import Database

_TRIGGER: Final = f"""
WITH made AS (
  INSERT INTO schedule_runs (schedule_id, due_at, segment, kind, fate, job_id, fires_at)
  SELECT id, $17, segment, 'triggered', 'fired', $18, $17 FROM schedules WHERE id = $16 FOR SHARE
      ON CONFLICT (schedule_id, due_at) DO NOTHING
  RETURNING *
), {BORN}
SELECT {RUN_COLUMNS}, posted.seq FROM made r LEFT JOIN posted ON posted.job_id = r.job_id
"""  # noqa: S608 - made of constants


async def trigger(
    database: Database, schedule: Schedule, due_at: datetime, job: Submission
) -> tuple[Run, list[Post]] | None:
    """The run and its message; `job` is job_of(schedule, due_at, …).

    None if the schedule is gone, or that instant has a run already.
    """
    row = await database.fetch_one(_TRIGGER, *columns([job]), GRACE_SECONDS, schedule.id, due_at, job.id)
    return (run_of(row), posts_of({job.id: job}, [row])) if row else None
