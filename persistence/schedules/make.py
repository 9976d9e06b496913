"""Make a schedule, once: the same request again finds the one that it has made.

The caller has judged the plan and computed when it is due; a schedule that is never due is made too, and has ended.
How many a key may have is counted by the door before it; two requests at the same moment may make one too many.
"""

from __future__ import annotations

from uuid import UUID

from persistence.schedules.schedule import (
    COLUMNS,
    NEWS,
    PLAN_COLUMNS,
    Next,
    Plan,
    Schedule,
    first_of,
    plan_values,
    segment_of,
)  # fmt: skip
from persistence.store.database import Database

_MAKE = f"""
WITH s AS (
  INSERT INTO schedules ({", ".join(PLAN_COLUMNS)}, id, segment, owner, next_due, next_fire_at, state)
  VALUES ({", ".join(f"${n}" for n in range(1, len(PLAN_COLUMNS) + 6))},
          CASE WHEN ${len(PLAN_COLUMNS) + 4}::timestamptz IS NULL THEN 'ended' ELSE 'active' END)
      ON CONFLICT (id) DO NOTHING
  RETURNING *
)
SELECT {COLUMNS}, {NEWS} FROM s
"""  # noqa: S608 - made of constants

_OWNED = "SELECT count(*) AS schedules FROM schedules WHERE owner = $1 AND owner <> ''"


async def create(database: Database, schedule_id: UUID, plan: Plan, coming: Next, owner: str = "") -> Schedule | None:
    """The schedule as it now stands; None if its id is taken."""
    rows = await database.fetch(
        _MAKE, *plan_values(plan), schedule_id, segment_of(schedule_id), owner, coming.due_at, coming.fires_at
    )
    return first_of(rows)


async def owned(database: Database, owner: str) -> int:
    """How many schedules this API key has made that still stand."""
    row = await database.fetch_one(_OWNED, owner)
    return int(row["schedules"]) if row else 0
