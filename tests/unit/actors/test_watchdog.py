"""A blocked loop is told from a process that was frozen as a whole."""

from __future__ import annotations

from actors.process.watchdog import Watchdog


def test_a_loop_that_ticks_is_never_stuck() -> None:
    dog = Watchdog(3.0, now=0.0, ticked=0.0)

    assert [0.0] * 20 == [dog.look(now=3.0 * n, ticked=3.0 * n - 0.1) for n in range(1, 21)]


def test_a_blocked_loop_is_stuck_for_as_long_as_it_is() -> None:
    dog = Watchdog(3.0, now=0.0, ticked=0.0)

    assert [3.0, 6.0, 9.0] == [dog.look(now, ticked=0.0) for now in (3.0, 6.0, 9.0)]


def test_a_tick_begins_the_count_anew() -> None:
    dog = Watchdog(3.0, now=0.0, ticked=0.0)
    dog.look(now=30.0, ticked=0.0)

    assert [0.0, 3.0] == [dog.look(now, ticked=31.0) for now in (33.0, 36.0)]


def test_three_minutes_frozen_are_one_late_look() -> None:
    """
    The heartbeat's thread may wake before the loop has had its turn.
    """
    dog = Watchdog(3.0, now=0.0, ticked=0.0)

    assert 6.0 == dog.look(now=180.0, ticked=0.0)
