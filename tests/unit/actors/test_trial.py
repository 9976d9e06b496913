"""One suspect at a time, until it has stood its time; the next time longer."""

from __future__ import annotations

import pytest

from actors.lane.trial import FIRST_SECONDS, Trial

ONE, OTHER = object(), object()


def test_without_a_suspect_none_stands() -> None:
    assert not Trial().stands(0.0)


@pytest.mark.parametrize(("crashes", "seconds"), [(1, 1), (2, 2), (3, 4), (7, 64)])
def test_a_suspect_stands_alone_twice_as_long_after_each_crash(crashes: int, seconds: int) -> None:
    trial = Trial()
    trial.begin(ONE, crashes, now=100.0)

    assert trial.stands(100.0 + seconds * FIRST_SECONDS - 0.01)
    assert not trial.stands(100.0 + seconds * FIRST_SECONDS)


def test_the_end_of_the_suspect_makes_room_and_that_of_another_job_does_not() -> None:
    trial = Trial()
    trial.begin(ONE, 1, now=0.0)
    trial.over(OTHER)
    before = trial.stands(0.0)
    trial.over(ONE)

    assert (True, False) == (before, trial.stands(0.0))


def test_the_longest_stand_is_finite() -> None:
    trial = Trial()
    trial.begin(ONE, 1_000, now=0.0)

    assert not trial.stands(2.0**21)
