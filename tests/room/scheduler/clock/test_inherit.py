"""A clock that takes segments over publishes what the one before it had made and not published."""

from __future__ import annotations

import pytest_asyncio

from persistence.schedules.inherit import inherit
from persistence.schedules.schedule import Schedule
from persistence.store.database import Database
from tests.room.persistence.schedules.plans import fired, made, turn


@pytest_asyncio.fixture
async def left(database: Database) -> list[Schedule]:
    """Schedules with a run each, whose messages are still in the outbox."""
    schedules = [await made(database) for _ in range(10)]
    await fired(database, *map(turn, schedules))
    return schedules


async def test_the_messages_of_its_segments_are_the_sweeps_at_once(database: Database, left: list[Schedule]) -> None:
    """
    Those of other segments keep their grace, and so do jobs that came by another door.
    """
    await database.fetch("INSERT INTO outbox (job_id, run, publish_after) SELECT gen_random_uuid(), 1, now() + '9 s'")
    segment = left[0].segment
    wanted = sum(schedule.segment == segment for schedule in left)
    async with database.connection() as connection:
        seen = [await inherit(connection, [segment]) for _ in range(2)]

    assert [wanted, 0] == seen
    assert wanted == await _due(database)


async def test_what_the_sweep_has_taken_already_keeps_its_back_off(database: Database, left: list[Schedule]) -> None:
    await database.fetch("UPDATE outbox SET tries = 1")
    async with database.connection() as connection:
        assert 0 == await inherit(connection, range(128))
    assert 0 == await _due(database)


async def _due(database: Database) -> int:
    rows = await database.fetch("SELECT count(*) AS rows FROM outbox WHERE publish_after <= clock_timestamp()")
    return int(rows[0]["rows"])
