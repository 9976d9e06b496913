"""Schedules for the tests of the rows: made, due whenever a test wants it; no instant is computed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from persistence.schedules.buffered import start, waiting
from persistence.schedules.close import Closed, close
from persistence.schedules.fire import Fired, Turn, fire
from persistence.schedules.job import job_of
from persistence.schedules.make import create
from persistence.schedules.read import get
from persistence.schedules.schedule import Next, Plan, Schedule
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO
from wire.identity import fresh_id

MINUTE = timedelta(minutes=1)
HOURLY = Plan("hourly", "echo", b'{"message":"hi"}', '{"interval_seconds":3600}', tags=("a", "b"))


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def at(due: datetime) -> Next:
    return Next(due, due)


async def made(database: Database, due: datetime | None = None, **said: Any) -> Schedule:
    """A schedule that is due then, or was due a second ago; what other tests left in its segment is closed."""
    schedule = await create(database, fresh_id(), replace(HOURLY, **said), at(due or ago(1)))
    assert schedule is not None
    await closed(database, schedule)
    return schedule


async def found(database: Database, schedule: Schedule) -> Schedule:
    known = await get(database, schedule.id)
    assert known is not None
    return known


def turn(schedule: Schedule, coming: Next | None = None, **said: Any) -> Turn:
    """It fires what it is due for, and goes on with the next minute."""
    due = schedule.next.due_at
    assert due is not None
    job = job_of(schedule, due, ECHO, [due + MINUTE])
    plain = Turn(schedule, coming or at(due + MINUTE), due_at=due, job=job)
    return replace(plain, **said)


async def fired(database: Database, *turns: Turn) -> Fired:
    async with database.connection() as connection:
        return await fire(connection, turns)


async def fates(database: Database, schedule: Schedule) -> list[tuple[str, str | None]]:
    """What became of its due times, in their order."""
    rows = await database.fetch(
        "SELECT fate, because FROM schedule_runs WHERE schedule_id = $1 ORDER BY due_at", schedule.id
    )
    return [(row["fate"], row["because"]) for row in rows]


async def ended(database: Database, job_id: UUID, state: str = "completed") -> None:
    """What a worker's record does to the row, as far as a schedule sees it."""
    await database.fetch("UPDATE jobs SET state = $2, finished_at = clock_timestamp() WHERE id = $1", job_id, state)


async def fired_once(database: Database, schedule: Schedule, **said: Any) -> Fired:
    """Its next due time, as it now stands."""
    return await fired(database, turn(await found(database, schedule), **said))


async def closed(database: Database, schedule: Schedule) -> Closed:
    async with database.connection() as connection:
        return await close(connection, [schedule.segment], None, 100)


async def started(database: Database, schedule: Schedule) -> Fired:
    """What a clock does with runs that wait, once."""
    async with database.connection() as connection:
        waits = [one for one in await waiting(connection, [schedule.segment], 10) if one.schedule.id == schedule.id]
        return await start(connection, [(one, job_of(one.schedule, one.due_at, ECHO)) for one in waits])
