"""The database's time: as exact as its answers are quick, and a jump is noticed with the first answer after it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.clock.database_time import DatabaseTime

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def tell(clock: DatabaseTime, ahead: float, *, there: float, back: float, since: float = 0.0) -> bool:
    """An answer of a database that is so many seconds ahead of noon at our moment 0, after so long a way each."""
    return clock.told(NOON + timedelta(seconds=ahead + since), since - there, since + back)


def ahead(clock: DatabaseTime) -> float:
    """By the best of some looks: a busy machine may set us aside between the two clocks."""
    return max((clock.now() - NOON).total_seconds() - time.monotonic() for _ in range(20))


def test_one_answer_is_known_to_half_its_time() -> None:
    clock = DatabaseTime()
    before = clock.known
    tell(clock, 5.0, there=0.001, back=0.003)

    assert (False, True) == (before, clock.known)
    assert ahead(clock) == pytest.approx(4.999, abs=2e-4)


def test_a_slow_answer_does_not_spoil_a_quick_one() -> None:
    clock = DatabaseTime()
    tell(clock, 5.0, there=0.0001, back=0.0001)
    for n in range(10):
        tell(clock, 5.0, there=0.001, back=2.0, since=n / 2)

    assert ahead(clock) == pytest.approx(5.0, abs=3e-4)


@pytest.mark.parametrize("jump", [3_600.0, -3_600.0, 0.5, -0.5])
def test_a_jump_is_noticed_with_the_first_answer_after_it(jump: float) -> None:
    clock = DatabaseTime()
    quiet = [tell(clock, 5.0, there=0.001, back=0.001, since=n / 2) for n in range(20)]

    assert (False, True) == (any(quiet), tell(clock, 5.0 + jump, there=0.001, back=0.001, since=10.0))
    assert ahead(clock) == pytest.approx(5.0 + jump, abs=2e-3)


def test_a_quartz_that_drifts_is_followed() -> None:
    """
    A hundred parts in a million are more than any has, and make 0.1 s in a quarter of an hour.
    """
    clock = DatabaseTime()
    for n in range(2_000):
        tell(clock, 5.0 + n / 2 * 1e-4, there=0.001, back=0.001, since=n / 2)

    assert ahead(clock) == pytest.approx(5.0 + 1_000 * 1e-4, abs=3e-3)


def test_seconds_until_an_instant() -> None:
    clock = DatabaseTime()
    tell(clock, 0.0, there=0.0, back=0.0, since=time.monotonic())

    assert clock.until(clock.now() + timedelta(seconds=7)) == pytest.approx(7.0, abs=2.0)
    assert clock.until(clock.now() - timedelta(seconds=7)) < 0
