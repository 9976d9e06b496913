"""Read schedules: one by its id, or a page of those that match a filter, newest first."""

from __future__ import annotations

from uuid import UUID

from persistence.schedules.schedule import COLUMNS, Schedule, first_of
from persistence.store.database import Database

_ONE = f"SELECT {COLUMNS} FROM schedules s WHERE s.id = $1"  # noqa: S608 - made of a constant


async def get(database: Database, schedule_id: UUID) -> Schedule | None:
    return first_of(await database.read(_ONE, schedule_id))
