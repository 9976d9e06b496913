"""Steps: what is late is run, what is missed is caught up as the schedule says, and no due time is lost in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from persistence.schedules.fire import Missed
from persistence.schedules.schedule import NEVER, CatchUp, Kind, Next
from scheduler.clock.step import FOLLOWING, LATE, MOST, Step, Terms, step
from wire.times.fires import next_due, offset
from wire.times.when import When

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVERY_MINUTE = When(cron=("* * * * *",))


def terms(catch_up: CatchUp, *, when: When = EVERY_MINUTE, window: timedelta = HOUR) -> Terms:
    return Terms(ID, when, catch_up, window)


def at(due: datetime) -> Next:
    return Next(due, due)


@pytest.mark.parametrize("catch_up", CatchUp)
@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1), LATE])
def test_what_is_late_is_run_whatever_the_policy(catch_up: CatchUp, late: timedelta) -> None:
    found = step(terms(catch_up), at(NOON), NOON + late)
    following = tuple(NOON + n * MINUTE for n in range(1, FOLLOWING + 1))

    assert Step(NOON, NOON, Kind.DUE, None, at(NOON + MINUTE), following) == found


@pytest.mark.parametrize(
    ("catch_up", "run", "missed", "due_next"),
    [
        (CatchUp.NONE, None, (6, 0, 5), 6),
        (CatchUp.LATEST, 5, (5, 0, 4), 6),
        (CatchUp.ALL, 0, None, 1),
    ],
)
def test_what_is_missed_is_caught_up_as_the_schedule_says(
    catch_up: CatchUp, run: int | None, missed: tuple[int, int, int] | None, due_next: int
) -> None:
    """
    Due at 12:00, seen at 12:06:10: the last minute's is late, the six before are missed.
    """
    found = step(terms(catch_up), at(NOON), NOON + 6 * MINUTE + timedelta(seconds=10))

    assert (None if run is None else NOON + run * MINUTE, at(NOON + due_next * MINUTE)) == (found.run, found.next)
    assert (missed and Missed(missed[0], NOON + missed[1] * MINUTE, NOON + missed[2] * MINUTE)) == found.missed
    assert found.kind is (Kind.DUE if run is None else Kind.CAUGHT_UP)


@pytest.mark.parametrize("catch_up", CatchUp)
def test_steps_lead_to_the_present_and_lose_nothing(catch_up: CatchUp) -> None:
    """
    After an outage of two days: more than a step takes.  Each due time is run or missed, once.
    """
    here, now = terms(catch_up, window=HOUR), NOON + timedelta(days=2)
    place, runs, missed, steps = at(NOON), list[datetime](), 0, 0
    while place.due_at is not None and place.due_at <= now:
        found = step(here, place, now)
        runs += [found.run] if found.run else []
        missed += found.missed.count if found.missed else 0
        place, steps = found.next, steps + 1

    assert 2 * 24 * 60 + 1 == len(runs) + missed
    assert {CatchUp.NONE: 1, CatchUp.LATEST: 2, CatchUp.ALL: 61}[catch_up] == len(runs) == len(set(runs))
    assert runs == sorted(runs)
    assert steps <= 2 * 24 * 60 / MOST + len(runs) + 2


def test_the_last_one_of_all_is_caught_up_and_nothing_comes_after() -> None:
    once = When(once_at=NOON)
    found = step(terms(CatchUp.LATEST, when=once), at(NOON), NOON + HOUR)

    assert (NOON, Kind.CAUGHT_UP, None, NEVER, ()) == (
        found.run, found.kind, found.missed, found.next, found.following,
    )  # fmt: skip


def test_a_jitter_longer_than_the_interval_loses_nothing_and_keeps_the_order() -> None:
    """
    The later due time may fire long before the earlier: it waits for that, and is not missed meanwhile.
    """
    when = When(interval_seconds=60.0, anchor=NOON, jitter_seconds=3_600.0)
    here, due = terms(CatchUp.NONE, when=when), next_due(when, NOON)
    assert due is not None
    place, seen = Next(due, due + offset(when, ID, due)), list[tuple[datetime, datetime]]()
    while len(seen) < 200:
        assert place.fires_at is not None
        found = step(here, place, place.fires_at)
        assert found.run is not None
        seen.append((found.run, found.fires_at))
        place = found.next

    assert [NOON + n * MINUTE for n in range(1, 201)] == [run for run, _ in seen]
    assert sorted(fires for _, fires in seen) == [fires for _, fires in seen]
    assert all(timedelta(0) <= fires - run < HOUR for run, fires in seen)
