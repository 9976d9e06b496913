"""Schedules for the tests of the clock: with real due times, and what has become of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from persistence.schedules.make import create
from persistence.schedules.read import get
from persistence.schedules.schedule import Next, Plan, Schedule
from persistence.store.database import Database
from wire.identity import fresh_id
from wire.times.fires import next_due, offset
from wire.times.when import When

EVERY_SECOND = When(interval_seconds=1.0)
HOURLY = When(interval_seconds=3_600.0)
Run = tuple[datetime, str, str, str | None]  # when it was due, kind, fate, why it has no job


async def made(
    database: Database, when: When = EVERY_SECOND, *, after: datetime | None = None, **said: Any
) -> Schedule:
    """A schedule that is due for the first time after this instant, or from now on."""
    schedule_id, after = fresh_id(), after or await database.now()
    due = next_due(when, after)
    assert due is not None
    plan = Plan("named", "echo", b'{"message":"hi"}', msgspec.json.encode(when).decode())
    coming = Next(due, due + offset(when, schedule_id, due))
    schedule = await create(database, schedule_id, replace(plan, **said), coming)
    assert schedule is not None
    return schedule


async def found(database: Database, schedule: Schedule) -> Schedule:
    known = await get(database, schedule.id)
    assert known is not None
    return known


async def runs(database: Database, schedule: Schedule) -> list[Run]:
    """What became of its due times, in their order."""
    rows = await database.fetch(
        "SELECT due_at, kind, fate, because FROM schedule_runs WHERE schedule_id = $1 ORDER BY due_at", schedule.id
    )
    return [(row["due_at"], row["kind"], row["fate"], row["because"]) for row in rows]


async def fates(database: Database, schedule: Schedule) -> Counter[str]:
    return Counter(fate for _, _, fate, _ in await runs(database, schedule))


async def all_ended(database: Database, state: str = "completed") -> None:
    """What workers' records do to the rows, as far as a schedule sees it."""
    await database.fetch(
        "UPDATE jobs SET state = $1, finished_at = clock_timestamp() WHERE state IN ('queued', 'running')", state
    )


async def ago(database: Database, **length: float) -> datetime:
    """By the database's clock."""
    return await database.now() - timedelta(**length)
