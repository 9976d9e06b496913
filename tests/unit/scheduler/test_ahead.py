"""What comes soon: in the order of its moments, yesterday's behind today's, and of each schedule the latest turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from persistence.schedules.due import Due
from persistence.schedules.fire import Turn
from persistence.schedules.schedule import NEVER, Kind, Next, Plan, Schedule, Standing
from scheduler.clock.ahead import CAUGHT_UP, Ahead
from scheduler.clock.prepared import Prepared

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PLAN = Plan("named", "echo", b"{}", "{}")


def coming(number: int, seconds: float, *, kind: Kind = Kind.DUE, version: int = 1) -> Prepared:
    """The schedule of this number, so many seconds after noon."""
    at = NOON + timedelta(seconds=seconds)
    schedule = Schedule(
        UUID(int=number), PLAN, Standing.ACTIVE, number % 128, Next(at, at), version, created_at=NOON, updated_at=NOON
    )
    return Prepared(Due(schedule, None), at, Turn(schedule, NEVER, at, at, kind))


def holding(*turns: Prepared) -> Ahead:
    ahead = Ahead()
    for turn in turns:
        ahead.put(turn)
    return ahead


def taken(ahead: Ahead, seconds: float, most: int = 100) -> list[int]:
    return [one.due.schedule.id.int for one in ahead.take(NOON + timedelta(seconds=seconds), most)]


def test_each_is_taken_once_when_its_moment_has_come() -> None:
    ahead = holding(coming(1, 3), coming(2, 1), coming(3, 2))

    assert ([], [2, 3], [1], []) == (taken(ahead, 0.9), taken(ahead, 2), taken(ahead, 9), taken(ahead, 9))
    assert (0, None) == (len(ahead), ahead.earliest())


def test_no_more_are_taken_than_asked_for() -> None:
    ahead = holding(*(coming(n, 0) for n in range(10)))

    assert [4, 4, 2] == [len(taken(ahead, 0, most=4)) for _ in range(3)]


def test_what_is_caught_up_comes_behind_what_is_due_and_a_few_at_a_time() -> None:
    yesterday = [coming(n, -86_400, kind=Kind.CAUGHT_UP) for n in range(1, 200)]
    ahead = holding(*yesterday, coming(500, 0))
    first, second = taken(ahead, 0, most=500), taken(ahead, 0, most=500)

    assert (500, 1 + CAUGHT_UP, CAUGHT_UP) == (first[0], len(first), len(second))


def test_of_a_schedule_the_latest_turn_stands() -> None:
    ahead = holding(coming(1, 1), coming(1, 5))

    assert (1, NOON + timedelta(seconds=5)) == (len(ahead), ahead.earliest())
    assert ([], [1]) == (taken(ahead, 4), taken(ahead, 5))


def test_it_knows_a_schedule_as_long_as_that_has_not_changed() -> None:
    ahead = holding(coming(1, 1))
    due = coming(1, 1).due

    assert ahead.knows(due)
    assert not ahead.knows(coming(1, 2).due)
    assert not ahead.knows(coming(1, 1, version=2).due)
    assert not ahead.knows(replace(due, schedule=coming(2, 1).due.schedule))


def test_what_lies_in_anothers_segments_goes() -> None:
    ahead = holding(*(coming(n, n) for n in range(1, 11)))
    ahead.keep({3, 5})

    assert [3, 5] == taken(ahead, 99)
