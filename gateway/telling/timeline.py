"""A job's past as a list of events, in order, with the time between them and what it was spent with.  Pure.

Made of its row and its attempts.  A time that nobody wrote down is left out, not worked out: so there is no event for
the moment in which a message reached RabbitMQ, nor for the one in which somebody sent a failed job again.  The one time
that is worked out is when a retry was due: its attempt says how long it was to wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.telling.words import fault
from persistence.questions.reads import Attempt
from persistence.questions.timeline import Story
from wire.states import FINAL, Outcome, State

ONE_STATEMENT: Final = timedelta(seconds=1)  # two times of it are no two events


class What(StrEnum):
    """What happened."""

    ACCEPTED = "accepted"
    DUE = "due"
    SENT_LATE = "sent_late"
    RESCUED = "rescued"
    STARTED = "started"
    ENDED = "ended"
    WORKER_LOST = "worker_lost"
    CANCEL_REQUESTED = "cancel_requested"
    FINISHED = "finished"


class Phase(StrEnum):
    """What a job spends its time with."""

    DELAYED = "delayed"  # by its submitter
    QUEUED = "queued"
    RUNNING = "running"
    RETRY_WAIT = "retry_wait"  # in the ladder, for its next attempt


@dataclass(frozen=True, slots=True)
class Event:
    """One of them; the phase is the one that begins with it, None where it changes none."""

    what: What
    at: datetime
    then: Phase | None = None
    attempt: Attempt | None = None  # what it ended with
    number: int | None = None  # of the attempt
    lease: int | None = None
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its place."""

    event: Event
    after: timedelta  # since the event before
    spent: Phase | None  # with what; None: nothing to do with it, or not known


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that happened, and where the time went."""

    story: Story
    entries: list[Entry]
    phase: Phase | None  # the one it is in
    spent: dict[Phase, timedelta]


_NEXT: Final = {
    Outcome.RETRY: Phase.RETRY_WAIT,
    Outcome.SNOOZED: Phase.RETRY_WAIT,
    Outcome.INTERRUPTED: Phase.QUEUED,
    Outcome.CRASHED: Phase.QUEUED,
}


def timeline(story: Story) -> Timeline:
    """Its events in order; one that is still to come is the last."""
    first, *others = _events(story)
    events = [first, *sorted(others, key=lambda event: event.at)]  # a worker's clock may go before Postgres' own
    entries: list[Entry] = []
    spent = dict.fromkeys(Phase, timedelta(0))
    at, phase = events[0].at, None
    for event in events:
        entries.append(Entry(event, max(event.at - at, timedelta(0)), phase))
        if phase:
            spent[phase] += max(min(event.at, story.now) - at, timedelta(0))
        at = event.at
        if event.at <= story.now:
            phase = _phase(phase, event)
    if phase and at < story.now:
        spent[phase] += story.now - at
    return Timeline(story, entries, phase, spent)


def _phase(phase: Phase | None, event: Event) -> Phase | None:
    """The one that it is in after that."""
    if event.what is What.FINISHED:
        return None
    if event.attempt is None:
        return event.then or phase
    if event.attempt.outcome == Outcome.SUPERSEDED:
        return phase  # another had its lease
    return event.then


def _events(story: Story) -> Iterator[Event]:
    delayed = story.scheduled_for is not None and story.scheduled_for > story.created_at
    yield Event(What.ACCEPTED, story.created_at, Phase.DELAYED if delayed else Phase.QUEUED)
    if delayed and story.scheduled_for and not _started_before(story, 0, story.scheduled_for):
        yield Event(What.DUE, story.scheduled_for, Phase.QUEUED)
    for number, attempt in enumerate(story.attempts):
        yield from _attempted(story, number, attempt)
    if story.state is State.RUNNING and story.started_at and not story.ended:
        said = {"number": story.attempt, "lease": story.lease, "worker": story.worker}
        yield Event(What.STARTED, story.started_at, Phase.RUNNING, **said)  # type: ignore[arg-type]
    yield from _beside(story)


def _attempted(story: Story, number: int, attempt: Attempt) -> Iterator[Event]:
    yield Event(What.STARTED, attempt.started_at, Phase.RUNNING, None, attempt.attempt, attempt.lease, attempt.worker)
    then = _NEXT.get(Outcome(attempt.outcome))
    yield Event(What.ENDED, attempt.finished_at, then, attempt, attempt.attempt, attempt.lease, attempt.worker)
    if then is Phase.RETRY_WAIT and (due := _due(story, number, attempt)):
        yield Event(What.DUE, due, Phase.QUEUED)


def _due(story: Story, number: int, attempt: Attempt) -> datetime | None:
    """When its wait was over; None if something else came before that."""
    if number == len(story.attempts) - 1 and story.state is not State.RUNNING:
        waits = story.state is State.RETRYING and story.next_attempt_at is not None
        return story.next_attempt_at if waits else None
    due = attempt.finished_at + timedelta(seconds=attempt.retry_after_seconds or 0.0)
    return None if _started_before(story, number + 1, due) else due


def _started_before(story: Story, number: int, at: datetime) -> bool:
    """Whether the attempt of this place, or what became of the job without it, came before that."""
    if number < len(story.attempts):
        return story.attempts[number].started_at < at
    if story.state is State.RUNNING:
        return story.started_at is not None and story.started_at < at
    return story.state in FINAL and story.finished_at is not None and story.finished_at < at


def _beside(story: Story) -> Iterator[Event]:
    if story.rescued_at:
        yield Event(What.RESCUED, story.rescued_at)
    if story.sent_at and not (story.rescued_at and abs(story.sent_at - story.rescued_at) < ONE_STATEMENT):
        yield Event(What.SENT_LATE, story.sent_at)
    if story.orphaned_at:
        yield Event(What.WORKER_LOST, story.orphaned_at)
    if story.cancel_requested_at:
        yield Event(What.CANCEL_REQUESTED, story.cancel_requested_at)
    if story.state in FINAL and story.finished_at:
        yield Event(What.FINISHED, story.finished_at)


def sentence(story: Story, event: Event) -> str:
    """The event in words."""
    if event.attempt:
        why = fault(event.attempt.error_type, event.attempt.error_message)
        return f"Attempt {event.number} {_ENDED[Outcome(event.attempt.outcome)].format(why=why)}."
    if event.what is What.ACCEPTED and event.then is Phase.DELAYED:
        return "It was accepted, to be done later."
    if event.what is What.DUE and event.at > story.now:
        return "It will be due."
    return _WORDS[event.what].format(number=event.number, worker=event.worker, state=story.state)


_WORDS: Final = {
    What.ACCEPTED: "It was accepted.",
    What.DUE: "It was due.",
    What.STARTED: "Attempt {number} started on worker {worker}.",
    What.SENT_LATE: "Its message was sent later than it was due.",
    What.RESCUED: "Its message was lost and sent again.",
    What.WORKER_LOST: "The worker that ran it was lost.",
    What.CANCEL_REQUESTED: "Somebody asked for it to be cancelled.",
    What.FINISHED: "It is {state}.",
}
_ENDED: Final = {
    Outcome.COMPLETED: "completed",
    Outcome.RETRY: "failed, and it is tried again: {why}",
    Outcome.FAILED: "failed for good: {why}",
    Outcome.CANCELLED: "was cancelled",
    Outcome.SNOOZED: "put itself off: {why}",
    Outcome.INTERRUPTED: "was interrupted with its worker, and does not count",
    Outcome.CRASHED: "ended with its worker's process",
    Outcome.SUPERSEDED: "ended too late: another worker had the job by then",
}
