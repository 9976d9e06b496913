"""Sync jobs are claimed ahead of their threads while all of them are quick, and not a moment longer."""

from __future__ import annotations

from actors.lane.pace import AHEAD_SECONDS, Pace

NO_OP = 0.000_05


def after(*seconds: float) -> Pace:
    pace = Pace()
    for each in seconds:
        pace.note(each)
    return pace


def test_nothing_is_claimed_ahead_of_what_is_not_known() -> None:
    assert 0 == after().ahead == after(*[NO_OP] * 100).ahead


def test_quick_jobs_are_claimed_ahead_for_a_moment() -> None:
    mean = 0.000_2

    assert 0.9 < after(*[mean] * 1_000).ahead * mean / AHEAD_SECONDS <= 1
    assert 0 < after(*[0.0] * 2_000).ahead  # a clock that stands still divides nothing by zero


def test_one_slow_job_in_a_hundred_ends_it() -> None:
    quick = [NO_OP] * 1_000

    assert 0 < after(*quick).ahead
    assert 0 == after(*quick, 1.0).ahead == after(*quick, 1.0, *quick[:99]).ahead
    assert 0 < after(*quick, 1.0, *quick).ahead


def test_jobs_of_some_milliseconds_are_never_claimed_ahead() -> None:
    assert 0 == after(*[0.005] * 10_000).ahead


def test_what_came_to_no_thread_in_time_is_quick_no_longer() -> None:
    pace = after(*[NO_OP] * 1_000)
    pace.forget()

    assert 0 == pace.ahead
