"""How many schedules stand where, and how far behind the clocks are."""

from __future__ import annotations

import pytest

from persistence.schedules.census import census
from persistence.schedules.pause import pause
from persistence.schedules.schedule import Standing
from persistence.store.database import Database
from tests.room.persistence.schedules.plans import ago, made


async def test_with_no_schedule_nobody_is_behind(database: Database) -> None:
    found = await census(database)

    assert (dict.fromkeys(Standing, 0), 0.0) == (found.schedules, found.behind_seconds)


async def test_each_is_counted_where_it_stands_and_the_one_that_waits_longest_tells_the_rest(
    database: Database,
) -> None:
    await made(database, ago(-3_600))
    await made(database, ago(90))
    paused = await made(database, ago(900))
    await pause(database, paused.id, "for now")
    found = await census(database)

    assert {Standing.ACTIVE: 2, Standing.PAUSED: 1, Standing.ENDED: 0} == found.schedules
    assert found.behind_seconds == pytest.approx(90, abs=30)
