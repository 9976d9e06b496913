"""Change a schedule's plan, or delete it; a clock that has loaded the old version fires nothing of it.

Its runs know only its id, so they stay whatever becomes of it, until retention; `GET /jobs/{id}` still tells which
schedule a job was of.  With the same spec an edit keeps the next due time, which may be overdue: who corrects a
description loses no run by it.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from persistence.schedules.schedule import (
    COLUMNS,
    NEWS,
    PLAN_COLUMNS,
    Because,
    Next,
    Plan,
    Schedule,
    first_of,
    plan_values,
)  # fmt: skip
from persistence.store.database import Database

_SET = ", ".join(f"{name} = ${number}" for number, name in enumerate(PLAN_COLUMNS, 6))
_MAX_RUNS = f"${PLAN_COLUMNS.index('max_runs') + 6}"

_CHANGE: Final = f"""
WITH old AS MATERIALIZED (
  SELECT id, state, CASE WHEN $5 AND state = 'active' THEN next_due ELSE $3 END AS next_due,
         CASE WHEN $5 AND state = 'active' THEN next_fire_at ELSE $4 END AS next_fire_at,
         (fired >= {_MAX_RUNS}::int) IS TRUE AS over
    FROM schedules WHERE id = $1 AND version = $2 FOR UPDATE
), turned AS (
  SELECT *, CASE WHEN state = 'paused' THEN 'paused' WHEN over OR next_due IS NULL THEN 'ended'
                 ELSE 'active' END AS turn
    FROM old
), s AS (
  UPDATE schedules s
     SET {_SET}, state = t.turn, next_due = CASE WHEN t.turn = 'active' THEN t.next_due END,
         next_fire_at = CASE WHEN t.turn = 'active' THEN t.next_fire_at END,
         version = s.version + 1, updated_at = clock_timestamp()
    FROM turned t WHERE s.id = t.id
  RETURNING s.*
)
SELECT {COLUMNS}, {NEWS} FROM s
"""  # noqa: S608 - made of constants

_DELETE: Final = f"DELETE FROM schedules WHERE id = $1 RETURNING id, {NEWS}"  # noqa: S608 - made of a constant
_DROP_WAITING: Final = """
UPDATE schedule_runs SET fate = 'skipped', because = $2 WHERE schedule_id = $1 AND fate = 'buffered'
"""
_DROP_BACKFILLS: Final = """
UPDATE schedule_backfills SET finished_at = clock_timestamp() WHERE schedule_id = $1 AND finished_at IS NULL
"""


async def change(database: Database, before: Schedule, plan: Plan, coming: Next) -> Schedule | None:
    """As it now stands; None if it is no longer as it was read.

    `coming` is computed from now by the new plan.  A paused one stays paused; one that had ended goes on if it can.
    """
    kept = plan.spec == before.plan.spec
    return first_of(await database.fetch(_CHANGE, before.id, before.version, *coming, kept, *plan_values(plan)))


async def delete(database: Database, schedule_id: UUID) -> bool:
    """Forget it; what waits to be run never will be.  False if there is none."""
    async with database.transaction() as transaction:
        gone = await transaction.fetchval(_DELETE, schedule_id)
        if gone is None:
            return False
        # statements of their own: what a clock buffered while we waited for the lock is seen only now;
        # backfills first: a clock that carries on with one locks its row alone, and what it adds would wait for ever
        await transaction.execute(_DROP_BACKFILLS, schedule_id)
        await transaction.execute(_DROP_WAITING, schedule_id, Because.OVER)
    return True
