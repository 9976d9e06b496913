"""Forget old runs, slowly: those of more than a week ago, but of each schedule the last ones.

So a schedule of every second does not fill the disk, and one of every year still shows how it went last time.  The runs
of a schedule that is gone have no last ones.  What is open or waits is kept however old it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from persistence.store.database import Database

OLD: Final = timedelta(days=7)
KEPT: Final = 20  # of each schedule, however old they are


class Place(NamedTuple):
    """How far a pass over the old runs has come."""

    created_at: datetime
    schedule_id: UUID
    due_at: datetime


_LONG_AGO: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
START: Final = Place(_LONG_AGO, UUID(int=0), _LONG_AGO)

# Of a schedule that stands, the due time from which on its runs are kept is looked up once a step
_FORGET = """
WITH seen AS MATERIALIZED (
  SELECT created_at, schedule_id, due_at FROM schedule_runs
   WHERE created_at < (SELECT clock_timestamp() - $1::interval) AND (created_at, schedule_id, due_at) > ($2, $3, $4)
   ORDER BY created_at, schedule_id, due_at LIMIT $5
), of AS MATERIALIZED (
  SELECT one.schedule_id, CASE WHEN s.id IS NULL THEN 'infinity' ELSE kept.since END AS kept_since
    FROM (SELECT DISTINCT schedule_id FROM seen) one
    LEFT JOIN LATERAL (SELECT id FROM schedules WHERE id = one.schedule_id OFFSET 0) s ON true
    LEFT JOIN LATERAL (SELECT due_at AS since FROM schedule_runs WHERE schedule_id = one.schedule_id
                        ORDER BY schedule_id DESC, due_at DESC OFFSET $6 - 1 LIMIT 1) kept ON true
), old AS MATERIALIZED (
  SELECT seen.schedule_id, seen.due_at FROM seen JOIN of USING (schedule_id) WHERE seen.due_at < of.kept_since
), locked AS MATERIALIZED (
  SELECT old.* FROM old CROSS JOIN LATERAL (
         SELECT FROM schedule_runs r
          WHERE r.schedule_id = old.schedule_id AND r.due_at = old.due_at AND r.fate <> 'buffered'
            AND (r.fate <> 'fired' OR r.ended_at IS NOT NULL) FOR UPDATE SKIP LOCKED OFFSET 0) r
), gone AS (
  DELETE FROM schedule_runs r USING locked
   WHERE r.schedule_id = locked.schedule_id AND r.due_at = locked.due_at RETURNING r.due_at
)
SELECT (SELECT count(*) FROM gone) AS gone, created_at, schedule_id, due_at
  FROM seen ORDER BY created_at DESC, schedule_id DESC, due_at DESC LIMIT 1
"""


async def forget_runs(
    database: Database, after: Place, limit: int, *, older_than: timedelta = OLD, kept: int = KEPT
) -> tuple[int, Place | None]:
    """Look at the next so many; how many of them were deleted, and where to go on: None at the end."""
    row = await database.fetch_one(_FORGET, older_than, *after, limit, kept)
    return (0, None) if row is None else (row["gone"], Place(row["created_at"], row["schedule_id"], row["due_at"]))
