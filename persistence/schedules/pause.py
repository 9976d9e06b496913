"""Let schedules stand still, and let them go on: one, or all that a filter names.

What would have been due meanwhile is not missed: somebody wanted it so.  A paused schedule has no next due time, so no
clock finds it; who resumes it brings one, computed from now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from persistence.questions.pages import Place
from persistence.schedules.pages import Filter, page
from persistence.schedules.read import get
from persistence.schedules.schedule import COLUMNS, NEWS, Next, PausedBecause, Schedule, Standing, schedule_of
from persistence.store.database import Database

CHUNK: Final = 500

_PAUSE: Final = """
WITH locked AS MATERIALIZED (
  SELECT id FROM schedules WHERE id = ANY((SELECT $1::uuid[])::uuid[]) AND state = 'active' ORDER BY id FOR UPDATE
)
UPDATE schedules s
   SET state = 'paused', paused_because = $2, paused_note = $3, paused_by = $4, paused_at = clock_timestamp(),
       next_due = NULL, next_fire_at = NULL, version = s.version + 1, updated_at = clock_timestamp()
  FROM locked WHERE s.id = locked.id
RETURNING s.id
"""

_RESUME: Final = f"""
WITH locked AS MATERIALIZED (
  SELECT a.* FROM (SELECT * FROM unnest((SELECT $1::uuid[]), $2::int[], $3::timestamptz[], $4::timestamptz[])
                            AS a(id, version, next_due, next_fire_at) ORDER BY id) a
   CROSS JOIN LATERAL (SELECT FROM schedules WHERE id = a.id AND version = a.version AND state = 'paused'
                          FOR UPDATE OFFSET 0) found
), s AS (
  UPDATE schedules s
     SET state = CASE WHEN l.next_due IS NULL OR (s.fired >= s.max_runs) IS TRUE THEN 'ended' ELSE 'active' END,
         next_due = CASE WHEN (s.fired >= s.max_runs) IS NOT TRUE THEN l.next_due END,
         next_fire_at = CASE WHEN (s.fired >= s.max_runs) IS NOT TRUE THEN l.next_fire_at END,
         paused_because = NULL, paused_by = NULL, paused_note = NULL, paused_at = NULL, failures_in_a_row = 0,
         version = s.version + 1, updated_at = clock_timestamp()
    FROM locked l WHERE s.id = l.id
  RETURNING s.*
)
SELECT {COLUMNS}, {NEWS} FROM s
"""  # noqa: S608 - made of constants


async def pause(
    database: Database,
    schedule_id: UUID,
    note: str | None,
    because: PausedBecause = PausedBecause.PERSON,
    *,
    by: str | None = None,
) -> Schedule | None:
    """As it now stands; one that is paused stays as it is, one that has ended stays ended; None if there is none."""
    await database.fetch(_PAUSE, [schedule_id], because, note, by)
    return await get(database, schedule_id)


async def pause_all(database: Database, wanted: Filter, note: str | None, by: str | None = None) -> int:
    """Pause all active ones that match, some hundred a transaction; says how many."""
    paused, after, active = 0, None, replace(wanted, state=Standing.ACTIVE)
    while found := await page(database, active, CHUNK, after):
        paused += len(await database.fetch(_PAUSE, [one.id for one in found], PausedBecause.PERSON, note, by))
        after = Place(found[-1].created_at, found[-1].id)
    return paused


async def resume(database: Database, resumed: Sequence[tuple[Schedule, Next]]) -> list[Schedule]:
    """Let these go on from there, those of them that are still as they were read; as they now stand."""
    rows = await database.fetch(
        _RESUME,
        [schedule.id for schedule, _ in resumed],
        [schedule.version for schedule, _ in resumed],
        [coming.due_at for _, coming in resumed],
        [coming.fires_at for _, coming in resumed],
    )
    return [schedule_of(row) for row in rows]
