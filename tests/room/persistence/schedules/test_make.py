"""A schedule is made once and read back as it was said."""

from __future__ import annotations

from persistence.schedules.make import create, owned
from persistence.schedules.read import get
from persistence.schedules.schedule import NEVER, Overlap, Standing, segment_of
from persistence.store.database import Database
from tests.room.persistence.schedules.plans import HOURLY, ago, at, made
from wire.identity import fresh_id


async def test_a_schedule_reads_as_it_was_said(database: Database) -> None:
    due = ago(1)
    schedule = await made(database, due, overlap=Overlap.BUFFER_ONE, priority=7)
    known = await get(database, schedule.id)

    assert known == schedule
    assert (Standing.ACTIVE, at(due), segment_of(schedule.id)) == (known.state, known.next, known.segment)
    assert (HOURLY.payload, HOURLY.spec, ("a", "b")) == (known.plan.payload, known.plan.spec, known.plan.tags)


async def test_an_id_makes_one_schedule(database: Database) -> None:
    schedule = await made(database)

    assert await create(database, schedule.id, HOURLY, at(ago(1))) is None


async def test_what_is_never_due_has_ended(database: Database) -> None:
    schedule = await create(database, fresh_id(), HOURLY, NEVER)

    assert schedule is not None
    assert Standing.ENDED == schedule.state


async def test_the_schedules_of_a_key_are_counted(database: Database) -> None:
    await made(database)
    await create(database, fresh_id(), HOURLY, at(ago(1)), owner="a key")

    assert (1, 0, 0) == (
        await owned(database, "a key"),
        await owned(database, "another"),
        await owned(database, ""),
    )
