"""A newer edition of the time zones corrects what an older one has stored: once, in the future, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from persistence.schedules.pause import pause
from persistence.schedules.schedule import SEGMENTS, Schedule
from persistence.schedules.segments import Session
from persistence.store.database import Database
from scheduler.clock import zones
from scheduler.clock.zones import Zones
from tests.eventually import eventually
from tests.room.scheduler.clock.conftest import Ticking
from tests.room.scheduler.clock.plans import found, made
from wire.segments import Stretch
from wire.times.edition import EDITION
from wire.times.when import When

HOUR = timedelta(hours=1)
SOON = f"0 {(datetime.now(UTC).hour + 6) % 24} * * *"  # in some hours, so that an hour earlier is not past
DAILY = When(cron=(SOON,), timezone="Africa/Casablanca", spread_seconds=600.0)
OLDER, OLD, NEW, NEWER = "2026a", "2026b", "2026c", "2026d"
EVERY = list(range(SEGMENTS))


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """One a piece."""
    monkeypatch.setattr(zones, "PAGE", 2)
    monkeypatch.setattr(zones, "PIECE_SECONDS", 0.0)


async def test_what_an_older_edition_stored_is_moved_and_what_is_right_stays(database: Database) -> None:
    """
    In a zone that has rules; an interval and what is due by UTC is right whatever an edition says.
    """
    right = [await made(database, DAILY) for _ in range(3)]
    wrong = [await _stored_by_old_rules(database, await made(database, DAILY), late) for late in (HOUR, -HOUR, HOUR)]
    by_utc = await _stored_by_old_rules(database, await made(database, When(cron=(SOON,))), HOUR)
    async with _walking(database, NEW) as walk:
        logged = await _walked(walk)
    stand = [(await found(database, schedule)).next for schedule in (*right, *wrong)]
    again = await found(database, by_utc)

    assert [schedule.next for schedule in (*right, *wrong)] == stand
    assert by_utc.next.due_at
    assert again.next.due_at == by_utc.next.due_at + HOUR
    assert [{"edition": NEW, "segments": SEGMENTS, "schedules_moved": 3}] == logged
    assert {NEW} == await _editions(database)


async def test_what_has_been_fired_is_not_due_again(database: Database) -> None:
    """
    By the new rules the next due time would be one that has had its run.
    """
    schedule = await made(database, DAILY)
    due = schedule.next.due_at
    assert due
    await _ran(database, schedule, "due")
    await _stored_by_old_rules(database, schedule, HOUR)
    async with _walking(database, NEW) as walk:
        await _walked(walk)

    after = (await found(database, schedule)).next.due_at
    assert after
    assert after > due + 12 * HOUR


async def test_what_is_overdue_or_stands_still_is_left_alone(database: Database) -> None:
    overdue = await _stored_by_old_rules(database, await made(database, DAILY), -48 * HOUR)
    paused = await made(database, DAILY)
    await pause(database, paused.id, None)
    unreadable = await _stored_by_old_rules(database, await made(database, DAILY), HOUR)
    await database.fetch(
        """UPDATE schedules SET spec = '{"cron": ["nobody reads this"], "timezone": "Europe/Rome"}' WHERE id = $1""",
        unreadable.id,
    )
    every = [overdue, paused, unreadable]
    before = [(await found(database, schedule)).next for schedule in every]
    async with _walking(database, NEW) as walk:
        logged = await _walked(walk)

    assert before == [(await found(database, schedule)).next for schedule in every]
    assert [0] == [line["schedules_moved"] for line in logged]


async def test_an_older_edition_and_the_same_one_move_nothing(database: Database) -> None:
    async with _walking(database, NEW) as walk:
        await _walked(walk)
    schedule = await _stored_by_old_rules(database, await made(database, DAILY), HOUR)
    before = (await found(database, schedule)).next
    for edition in (OLDER, OLD, NEW):
        async with _walking(database, edition) as walk:
            assert [] == await _pieces(walk, 5)
    assert before == (await found(database, schedule)).next
    assert {NEW} == await _editions(database)
    async with _walking(database, NEWER) as walk:
        await _walked(walk)

    assert schedule.next == (await found(database, schedule)).next
    assert {NEWER} == await _editions(database)


async def test_a_walk_that_was_cut_short_begins_anew(database: Database) -> None:
    """
    Nothing is remembered before its end, and what it has moved is moved once.
    """
    schedules = [await _stored_by_old_rules(database, await made(database, DAILY), HOUR) for _ in range(6)]
    async with _walking(database, NEW) as walk:
        await walk.piece(EVERY)
    assert set() == await _editions(database)
    moved = sum([(await found(database, one)).next == one.next for one in schedules])
    async with _walking(database, NEW) as walk:
        logged = await _walked(walk)

    assert [2, 4] == [moved, logged[0]["schedules_moved"]]
    assert [one.next for one in schedules] == [(await found(database, one)).next for one in schedules]


async def test_a_segment_that_went_to_another_clock_is_not_told_to_be_right(database: Database) -> None:
    for _ in range(3):
        await made(database, DAILY)
    async with _walking(database, NEW) as walk:
        await walk.piece(EVERY)
        await walk.piece(EVERY[:10])
        await walk.piece(EVERY[:10])

    rows = await database.fetch("SELECT 1 FROM pins WHERE name LIKE 'tzdata%'")
    assert 10 == len(rows)


async def test_two_at_once_move_each_once(database: Database) -> None:
    """
    Even if both held all segments: who comes second finds it where it belongs.
    """
    schedules = [await _stored_by_old_rules(database, await made(database, DAILY), HOUR) for _ in range(10)]
    async with _walking(database, NEW) as one, _walking(database, NEW) as other:
        with capture_logs() as logged:
            await asyncio.gather(_stepped(one, 10), _stepped(other, 10))

    assert 10 == sum(line["schedules_moved"] for line in logged if line["event"] == "zones_renewed")
    assert [one.next for one in schedules] == [(await found(database, one)).next for one in schedules]


async def test_two_clocks_do_it_between_due_times(ticking: Ticking, database: Database) -> None:
    schedules = [await _stored_by_old_rules(database, await made(database, DAILY), HOUR) for _ in range(5)]
    async with ticking(), ticking():
        await eventually(lambda: _all_have(database, EDITION))

    assert [one.next for one in schedules] == [(await found(database, one)).next for one in schedules]


@contextlib.asynccontextmanager
async def _walking(database: Database, edition: str) -> AsyncIterator[Zones]:
    session = Session(database, [Stretch(0, SEGMENTS - 1)], "warren clock of a test")
    await session.look()
    yield Zones(session, edition)
    await session.stop()


async def _walked(walk: Zones) -> list[dict[str, object]]:
    """What it logs at its end."""
    logged = await _pieces(walk, 20)
    for line in logged:
        line.pop("event")
        line.pop("log_level")
    return logged


async def _pieces(walk: Zones, number: int) -> list[dict[str, object]]:
    with capture_logs() as logged:
        await _stepped(walk, number)
    return [dict(line) for line in logged if line["event"] == "zones_renewed"]


async def _stepped(walk: Zones, number: int) -> None:
    for _ in range(number):
        await walk.piece(EVERY)


async def _stored_by_old_rules(database: Database, schedule: Schedule, late: timedelta) -> Schedule:
    """As it was, so that what is right is known; its row is due so much later."""
    await database.fetch(
        "UPDATE schedules SET next_due = next_due + $2, next_fire_at = next_fire_at + $2 WHERE id = $1",
        schedule.id,
        late,
    )
    return schedule


async def _ran(database: Database, schedule: Schedule, kind: str) -> None:
    await database.fetch(
        "INSERT INTO schedule_runs (schedule_id, due_at, segment, kind, fate, fires_at)"
        " VALUES ($1, $2, $3, $4, 'fired', $2)",
        schedule.id,
        schedule.next.due_at,
        schedule.segment,
        kind,
    )


async def _editions(database: Database) -> set[str]:
    rows = await database.fetch("SELECT DISTINCT value FROM pins WHERE name LIKE 'tzdata%'")
    return {row["value"] for row in rows}


async def _all_have(database: Database, edition: str) -> bool:
    rows = await database.fetch("SELECT 1 FROM pins WHERE name LIKE 'tzdata%' AND value = $1", edition)
    return len(rows) == SEGMENTS
