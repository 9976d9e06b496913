"""Nobody is judged until the judge has watched for a whole lease without a break."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scheduler.unbroken import Unbroken

T = datetime(2030, 1, 1, tzinfo=UTC)


def watched(watch: Unbroken, *seconds: float) -> list[float]:
    return [watch.seen(T + timedelta(seconds=s)).total_seconds() for s in seconds]


def test_the_stretch_grows_while_the_database_answers() -> None:
    assert [0, 2, 4, 9] == watched(Unbroken(timedelta(seconds=5)), 0, 2, 4, 9)


def test_a_failed_look_begins_it_anew() -> None:
    watch = Unbroken(timedelta(seconds=5))
    watched(watch, 0, 2)
    watch.lost()

    assert [0, 1] == watched(watch, 4, 5)


def test_a_gap_that_nobody_noticed_begins_it_anew() -> None:
    """Postgres was restarted between two looks, or the whole machine slept."""
    assert [0, 2, 0, 2] == watched(Unbroken(timedelta(seconds=5)), 0, 2, 60, 62)


def test_a_clock_that_was_set_back_begins_it_anew() -> None:
    assert [0, 2, 0] == watched(Unbroken(timedelta(seconds=5)), 100, 102, 50)
