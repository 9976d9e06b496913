"""The plan that people read is the back-off that workers follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from actors.attempts.verdict import Budget
from actors.attempts.verdict import backoff as drawn
from persistence.attempts.retry_plan import MOST_TOLD, Backoff, PlannedAttempt, plan
from wire.states import FINAL, State

NOW = datetime(2030, 1, 1, tzinfo=UTC)
BACKOFF = Backoff(2.0, 30.0)


@pytest.mark.parametrize("attempt", [1, 2, 5, 6, 64, 1_000])
def test_a_worker_s_wait_lies_within_the_plan(attempt: int) -> None:
    budget = Budget(attempt, 1_000, timedelta(seconds=2), timedelta(seconds=30))
    planned = plan(State.RUNNING, attempt, 1_001, None, BACKOFF)

    assert planned
    assert planned[0].after_seconds == drawn(budget, 0.0).total_seconds()
    assert planned[0].at_most_seconds == drawn(budget, 1.0).total_seconds()


def test_a_queued_job_knows_its_waits_but_no_times() -> None:
    """
    Attempt 1 is the one that is queued; three retries follow it.
    """
    planned = plan(State.QUEUED, 0, 3, None, BACKOFF)

    assert [(2, 2.0, 2.5, None), (3, 4.0, 5.0, None), (4, 8.0, 10.0, None)] == told(planned)


def test_a_running_job_s_plan_begins_behind_its_attempt() -> None:
    assert [(3, 4.0, 5.0, None), (4, 8.0, 10.0, None)] == told(plan(State.RUNNING, 2, 3, None, BACKOFF))


def test_a_job_that_waits_to_be_retried_knows_when() -> None:
    """
    The next time is settled; those after it come no sooner than their waits add up to.
    """
    planned = plan(State.RETRYING, 1, 3, NOW, BACKOFF)
    later = NOW + timedelta(seconds=4)

    assert [(2, None, None, NOW), (3, 4.0, 5.0, later), (4, 8.0, 10.0, later + timedelta(seconds=8))] == told(planned)


def test_a_job_that_snoozed_at_first_has_its_first_attempt_before_it() -> None:
    assert [(1, None, None, NOW), (2, 2.0, 2.5, NOW + timedelta(seconds=2))] == told(
        plan(State.RETRYING, 0, 1, NOW, BACKOFF)
    )


def test_the_wait_is_capped() -> None:
    planned = plan(State.RUNNING, 8, 9, None, BACKOFF)

    assert [(9, 30.0, 37.5, None), (10, 30.0, 37.5, None)] == told(planned)


@pytest.mark.parametrize(
    ("state", "attempt"),
    [(State.RUNNING, 4), (State.RUNNING, 9), (State.QUEUED, 3), *[(state, 0) for state in sorted(FINAL)]],
)
def test_there_is_no_plan_when_nothing_is_left(state: State, attempt: int) -> None:
    assert plan(state, attempt, 3, None, BACKOFF) is None


def test_a_long_plan_is_cut() -> None:
    planned = plan(State.QUEUED, 0, 1_000, None, BACKOFF)

    assert planned
    assert MOST_TOLD == len(planned)


def told(planned: list[PlannedAttempt] | None) -> list[tuple[int, float | None, float | None, datetime | None]]:
    return [(p.attempt, p.after_seconds, p.at_most_seconds, p.earliest_at) for p in planned or []]
