"""How long nothing ended although something waited, and how fast it went at best."""

from __future__ import annotations

import pytest

from deploy.proof.pace import best_rate, longest_stall
from deploy.proof.witness import Event


def events(*ends: float) -> list[Event]:
    return [Event(False, str(number), 100, end) for number, end in enumerate(ends)]


@pytest.mark.parametrize(
    ("accepted", "ends", "seconds"),
    [
        ([0.0], [1.0], 1.0),
        ([0.0, 0.0, 0.0], [1.0, 4.0, 5.0], 3.0),
        ([0.0, 10.0], [1.0, 11.5], 1.5),  # between 1 and 10 there was nothing to do
        ([], [], 0.0),
    ],
)
def test_a_stall_is_a_time_in_which_nothing_ended_although_something_waited(
    accepted: list[float], ends: list[float], seconds: float
) -> None:
    found = longest_stall({str(number): at for number, at in enumerate(accepted)}, events(*ends))

    assert pytest.approx(seconds) == found.seconds


@pytest.mark.parametrize(("purged", "only"), [({"1", "2"}, True), ({"1"}, False), (set(), False)])
def test_a_stall_is_the_purges_when_nothing_else_was_left(purged: set[str], only: bool) -> None:
    found = longest_stall(dict.fromkeys("012", 0.0), events(1.0, 9.0, 9.1), frozenset(purged))

    assert (1.0, 8.0, only) == (found.since, found.seconds, found.only_purged)


def test_a_second_end_of_a_job_does_not_count() -> None:
    twice = [*events(1.0), Event(False, "0", 200, 5.0), Event(False, "1", 200, 8.0)]

    assert 7.0 == longest_stall({"0": 0.0, "1": 0.5}, twice).seconds


def test_the_best_rate_is_that_of_the_best_three_seconds() -> None:
    slow, fast = [float(second) for second in range(10)], [20 + number / 100 for number in range(600)]

    assert pytest.approx(100, rel=0.01) == best_rate(slow + fast)
    assert 0.0 == best_rate([])
