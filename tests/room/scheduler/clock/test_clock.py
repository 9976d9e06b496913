"""The clock: every due time once, soon after it, whoever else ticks and whatever becomes of the connection."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from persistence.schedules.schedule import CatchUp, Overlap, PausedBecause, Schedule, Standing
from persistence.store.database import Database
from scheduler.clock import loading
from scheduler.clock.ahead import Ahead
from scheduler.clock.clock import Clock
from tests.eventually import eventually
from tests.room.scheduler.clock.conftest import Ticking
from tests.room.scheduler.clock.plans import ago, fates, found, made, runs
from wire.metrics import table as metrics
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler
from wire.times.when import When

OFTEN = When(interval_seconds=0.1)
SECOND = timedelta(seconds=1)


async def test_every_due_time_is_fired_and_published(ticking: Ticking, database: Database) -> None:
    schedule = await made(database, OFTEN, overlap=Overlap.ALLOW)
    confirmed = sum(metrics.SCHEDULE_LAG.of()[1:])
    async with ticking():
        await eventually(lambda: _fired(database, schedule, 10))
    seen = [due for due, *_ in await runs(database, schedule)]
    jobs = await database.fetch("SELECT count(*) AS jobs FROM jobs")

    assert schedule.next.due_at is not None
    assert [schedule.next.due_at + n * timedelta(seconds=0.1) for n in range(len(seen))] == seen
    assert len(seen) == jobs[0]["jobs"] == sum(metrics.SCHEDULE_LAG.of()[1:]) - confirmed
    assert [] == await database.fetch("SELECT 1 FROM outbox")


async def test_two_clocks_share_what_is_due_and_make_each_run_once(ticking: Ticking, database: Database) -> None:
    schedules = [await made(database, OFTEN, overlap=Overlap.ALLOW, max_runs=10) for _ in range(20)]
    async with ticking() as one, ticking() as other:
        for schedule in schedules:
            await eventually(lambda schedule=schedule: _ended(database, schedule))
        await eventually(lambda: [64, 64] == [len(one._session.held), len(other._session.held)])
    every = [await runs(database, schedule) for schedule in schedules]

    assert {10} == {len(seen) for seen in every}
    assert {"fired"} == {fate for seen in every for _, _, fate, _ in seen}
    assert [{"jobs": 200}] == [dict(row) for row in await database.fetch("SELECT count(*) AS jobs FROM jobs")]


async def test_a_change_is_heard_of_at_once(
    ticking: Ticking, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What is made after the clock has looked is due before it would look from the beginning again.
    """
    monkeypatch.setattr(loading, "AGAIN_SECONDS", 3_600.0)
    async with ticking() as clock:
        await eventually(lambda: len(clock._session.held) == 128)
        for _ in range(3):
            schedule = await made(database, OFTEN, max_runs=1)
            await eventually(lambda schedule=schedule: _ended(database, schedule))


async def test_a_session_that_postgres_ends_costs_no_due_time(ticking: Ticking, database: Database) -> None:
    schedule = await made(database, OFTEN, overlap=Overlap.ALLOW, max_runs=12)
    async with ticking():
        for n in (3, 6):
            await eventually(lambda n=n: _fired(database, schedule, n))
            await database.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'warren clock %'"
                " AND datname = current_database()"
            )
        await eventually(lambda: _ended(database, schedule))
    seen = [due for due, *_ in await runs(database, schedule)]

    assert schedule.next.due_at is not None
    assert [schedule.next.due_at + n * timedelta(seconds=0.1) for n in range(12)] == seen


@pytest.mark.parametrize("catch_up", CatchUp)
async def test_what_was_due_a_moment_ago_is_late_and_not_missed(
    ticking: Ticking, database: Database, catch_up: CatchUp
) -> None:
    when = When(once_at=await ago(database, seconds=5))
    assert when.once_at is not None
    schedule = await made(database, when, after=when.once_at - SECOND, catch_up=catch_up)
    async with ticking():
        await eventually(lambda: _ended(database, schedule))

    assert [(when.once_at, "due", "fired", None)] == await runs(database, schedule)


@pytest.mark.parametrize(
    ("catch_up", "fired", "missed"), [(CatchUp.NONE, 0, 5), (CatchUp.LATEST, 1, 4), (CatchUp.ALL, 3, 2)]
)
async def test_what_was_due_while_no_clock_ran_is_caught_up_as_its_schedule_says(
    ticking: Ticking, database: Database, catch_up: CatchUp, fired: int, missed: int
) -> None:
    """
    Five due times of an hour each; the window of `all` holds the last three.
    """
    start = await ago(database, hours=4, minutes=30)
    when = When(interval_seconds=3_600.0, starts_at=start)
    said = {"overlap": Overlap.ALLOW, "catch_up": catch_up, "catch_up_window_seconds": 2.75 * 3_600}
    schedule = await made(database, when, after=start - SECOND, **said)
    async with ticking():
        await eventually(lambda: _is_due_in_the_future(database, schedule))
    after = await found(database, schedule)
    every = [run for run in await runs(database, schedule) if run[2] == "fired"]

    assert (fired, missed) == (after.fired, after.missed)
    assert [(start + (5 - fired + n) * timedelta(hours=1), "caught_up", "fired", None) for n in range(fired)] == every
    assert after.next.due_at == start + timedelta(hours=5)


async def test_a_schedule_that_nobody_can_read_stands_still_and_stops_no_other(
    ticking: Ticking, database: Database
) -> None:
    strange = await made(database, OFTEN)
    await database.fetch('UPDATE schedules SET spec = \'{"cron": ["61 * * * *"]}\' WHERE id = $1', strange.id)
    other = await made(database, OFTEN, max_runs=3, overlap=Overlap.ALLOW)
    async with ticking():
        await eventually(lambda: _ended(database, other))
        await eventually(lambda: _stands(database, strange, Standing.PAUSED))
    told = await found(database, strange)

    assert (PausedBecause.UNREADABLE, []) == (told.paused_because, await runs(database, strange))
    assert told.paused_note is not None


async def test_a_pinned_clock_fires_its_segments_alone(ticking: Ticking, database: Database) -> None:
    schedules = [await made(database, OFTEN, max_runs=1) for _ in range(30)]
    inside = [one for one in schedules if one.segment < 64]
    async with ticking(segments="0-63"):
        for schedule in inside:
            await eventually(lambda schedule=schedule: _ended(database, schedule))
        marker = await made(database, OFTEN, max_runs=1)
        while marker.segment >= 64:
            marker = await made(database, OFTEN, max_runs=1)
        await eventually(lambda: _ended(database, marker))

    outside = [await fates(database, one) for one in schedules if one.segment >= 64]
    assert 0 < len(outside) < 30
    assert not any(outside)


async def test_a_loop_that_stands_still_is_seen(ticking: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The process may answer as long as it likes: what counts is that the loop turns.
    """
    async with ticking() as clock:
        await eventually(lambda: len(clock._session.held) == 128)
        clock.look()
        well = (clock.trouble(), metrics.CLOCK_TURN_AGE.values[()], metrics.SEGMENTS.values[()])
        clock._turned_at = time.monotonic() - 60
        clock.look()

        assert (None, 128.0) == (well[0], well[2])
        assert well[1] < 30 < metrics.CLOCK_TURN_AGE.values[()]
        assert "the clock has stood still for 60 s" == clock.trouble()


async def _fired(database: Database, schedule: Schedule, least: int) -> bool:
    return (await fates(database, schedule))["fired"] >= least


async def _ended(database: Database, schedule: Schedule) -> bool:
    return await _stands(database, schedule, Standing.ENDED)


async def _stands(database: Database, schedule: Schedule, standing: Standing) -> bool:
    return (await found(database, schedule)).state is standing


async def _is_due_in_the_future(database: Database, schedule: Schedule) -> bool:
    due = (await found(database, schedule)).next.due_at
    return due is not None and due > await database.now()


@pytest.mark.parametrize("full", [False, True])
async def test_a_clock_that_can_load_nothing_rests(
    database: Database, broker: Broker, ready: None, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    """It holds no segment, because another one has all that it may serve; or it has its hands full."""
    one, other = [Clock(database, broker, Scheduler(segments="7")) for _ in range(2)]
    try:
        await one.once()
        await other.once()
        idle = one if full else other
        monkeypatch.setattr(Ahead, "full", full)
        for _ in range(2):
            idle._loading._again_at = 0.0
            await idle.once()

        assert [7] == [*one._session.held, *other._session.held]
        assert idle._loading.waits > 0
    finally:
        await one._session.stop()
        await other._session.stop()
