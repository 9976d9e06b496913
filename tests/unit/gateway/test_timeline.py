"""A row and its attempts → events in order, and where the time went."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.telling.timeline import Phase, Timeline, What, sentence, timeline
from persistence.questions.reads import Attempt
from persistence.questions.timeline import Story
from wire.states import Outcome, State

T0 = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def attempt(lease: int, begun: float, ended: float, outcome: Outcome, **said: Any) -> Attempt:
    plain = Attempt(lease, lease, lease, outcome, None, "w:1", at(begun), at(ended), None, None, None, None)
    return replace(plain, **said)


QUEUED = Story(
    now=at(100),
    id=UUID(int=7),
    type="echo",
    state=State.QUEUED,
    attempt=0,
    lease=0,
    max_retries=3,
    created_at=T0,
    scheduled_for=None,
    next_attempt_at=None,
    started_at=None,
    finished_at=None,
    cancel_requested_at=None,
    orphaned_at=None,
    sent_at=None,
    rescued_at=None,
    worker=None,
    trace_id="",
    attempts=(),
)
FIRST = attempt(1, 10, 12, Outcome.RETRY, retry_after_seconds=5.0, error_message="HTTP 503")


def told(made: Timeline) -> list[tuple[What, float, Phase | None]]:
    return [(one.event.what, (one.event.at - T0).total_seconds(), one.spent) for one in made.entries]


def spent(made: Timeline) -> dict[Phase, float]:
    return {phase: length.total_seconds() for phase, length in made.spent.items() if length}


def test_a_queued_job_has_been_accepted() -> None:
    made = timeline(QUEUED)

    assert [(What.ACCEPTED, 0.0, None)] == told(made)
    assert (Phase.QUEUED, {Phase.QUEUED: 100.0}) == (made.phase, spent(made))


def test_a_wait_that_is_to_come_ends_after_now() -> None:
    delayed = timeline(replace(QUEUED, state=State.SCHEDULED, scheduled_for=at(160)))
    retrying = timeline(replace(QUEUED, state=State.RETRYING, lease=1, next_attempt_at=at(117.25), attempts=[FIRST]))

    assert (What.DUE, 160.0, Phase.DELAYED) == told(delayed)[-1]
    assert (Phase.DELAYED, {Phase.DELAYED: 100.0}) == (delayed.phase, spent(delayed))
    assert (What.DUE, 117.25, Phase.RETRY_WAIT) == told(retrying)[-1]
    assert {Phase.QUEUED: 10.0, Phase.RUNNING: 2.0, Phase.RETRY_WAIT: 88.0} == spent(retrying)
    assert "It will be due." == sentence(delayed.story, delayed.entries[-1].event)


def test_a_second_attempt_that_runs() -> None:
    running = {"state": State.RUNNING, "attempt": 2, "lease": 2, "started_at": at(18), "worker": "w:2"}
    made = timeline(replace(QUEUED, **running, attempts=[FIRST]))

    assert [
        (What.ACCEPTED, 0.0, None),
        (What.STARTED, 10.0, Phase.QUEUED),
        (What.ENDED, 12.0, Phase.RUNNING),
        (What.DUE, 17.0, Phase.RETRY_WAIT),
        (What.STARTED, 18.0, Phase.QUEUED),
    ] == told(made)
    assert (Phase.RUNNING, 82.0 + 2.0) == (made.phase, spent(made)[Phase.RUNNING])
    assert "Attempt 2 started on worker w:2." == sentence(made.story, made.entries[-1].event)


def test_a_lost_worker_s_attempt_is_told_once() -> None:
    """
    Its attempt has a row already while the job still counts as running.
    """
    crashed = attempt(1, 10, 30, Outcome.CRASHED)
    running = {"state": State.RUNNING, "attempt": 1, "lease": 1, "started_at": at(10), "orphaned_at": at(30)}
    made = timeline(replace(QUEUED, **running, attempts=[crashed]))

    assert [What.ACCEPTED, What.STARTED, What.ENDED, What.WORKER_LOST] == [what for what, _, _ in told(made)]
    assert (Phase.QUEUED, {Phase.QUEUED: 80.0, Phase.RUNNING: 20.0}) == (made.phase, spent(made))


def test_an_attempt_that_ended_too_late_takes_no_time_from_the_one_that_counts() -> None:
    late = attempt(1, 10, 50, Outcome.SUPERSEDED)
    good = attempt(2, 40, 60, Outcome.COMPLETED)
    made = timeline(replace(QUEUED, state=State.COMPLETED, lease=2, finished_at=at(60), attempts=[late, good]))

    assert [10.0, 40.0, 50.0, 60.0, 60.0] == [seconds for _, seconds, _ in told(made)[1:]]
    assert (None, {Phase.QUEUED: 10.0, Phase.RUNNING: 50.0}) == (made.phase, spent(made))


def test_what_lies_between_a_failure_and_a_retry_by_hand_is_nobody_s_time() -> None:
    failed = attempt(1, 10, 12, Outcome.FAILED)
    good = attempt(2, 90, 91, Outcome.COMPLETED)
    made = timeline(replace(QUEUED, state=State.COMPLETED, lease=2, finished_at=at(91), attempts=[failed, good]))

    assert (What.STARTED, 90.0, None) == told(made)[3]
    assert {Phase.QUEUED: 10.0, Phase.RUNNING: 3.0} == spent(made)


def test_a_wait_that_was_cut_short_was_never_due() -> None:
    cancelled = {"state": State.CANCELLED, "finished_at": at(14), "cancel_requested_at": at(14)}
    made = timeline(replace(QUEUED, **cancelled, lease=1, next_attempt_at=at(17), attempts=[FIRST]))

    assert [What.ENDED, What.CANCEL_REQUESTED, What.FINISHED] == [what for what, _, _ in told(made)[2:]]
    assert 2.0 == spent(made)[Phase.RETRY_WAIT]


def test_a_message_that_was_sent_again_is_told_once() -> None:
    rescued = timeline(replace(QUEUED, rescued_at=at(50), sent_at=at(50.00001)))
    late = timeline(replace(QUEUED, sent_at=at(50)))

    assert [What.ACCEPTED, What.RESCUED] == [what for what, _, _ in told(rescued)]
    assert [What.ACCEPTED, What.SENT_LATE] == [what for what, _, _ in told(late)]


def test_a_clock_that_goes_before_makes_no_time_negative() -> None:
    """
    The start is the worker's word, the birth is Postgres'.
    """
    early = attempt(1, -0.5, 1, Outcome.COMPLETED)
    made = timeline(replace(QUEUED, state=State.COMPLETED, lease=1, finished_at=at(1), attempts=[early]))

    assert What.ACCEPTED is made.entries[0].event.what
    assert all(one.after >= timedelta(0) for one in made.entries)
    assert all(length >= timedelta(0) for length in made.spent.values())


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_words(outcome: Outcome) -> None:
    ended = attempt(1, 10, 12, outcome, error_message="{HTTP} 503")
    made = timeline(replace(QUEUED, lease=1, attempts=[ended]))

    assert sentence(made.story, made.entries[2].event).startswith("Attempt 1 ")
    assert "{why}" not in sentence(made.story, made.entries[2].event)
