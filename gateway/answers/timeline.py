"""What the gateway answers about a job's past: events in order, and where the time went.  Knows no HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from msgspec import field as struct_field

from gateway.answers.jobs import JOBS, JobError
from gateway.telling import timeline as told
from gateway.telling.timeline import Phase, What
from wire.states import Outcome, State


class Event(Struct, frozen=True):
    event: What
    at: datetime
    after_seconds: Annotated[float, Meta(description="Since the event before")]
    spent: Annotated[Phase | None, Meta(description="What it spent that time with; null: not known, or it had ended")]
    sentence: str
    attempt: int | None
    lease: Annotated[int | None, Meta(description="Numbers the starts, as in the list of attempts")]
    worker: str | None
    outcome: Annotated[Outcome | None, Meta(description="How the attempt ended")]
    reason: str | None
    error: JobError | None


class Spent(Struct, frozen=True):
    """Seconds by what they went for, up to now or to its end."""

    delayed: Annotated[float, Meta(description="By its submitter")]
    queued: float
    running: float
    retry_wait: Annotated[float, Meta(description="In the ladder, for its next attempt")]


class TimelineLinks(Struct, frozen=True):
    this: str = struct_field(name="self")
    job: str
    why: str
    attempts: str


class Timeline(Struct, frozen=True):
    """What has happened to a job, as far as it was written down."""

    id: UUID
    type: str
    state: State
    now: Annotated[datetime, Meta(description="The database's clock; an event behind it is still to come")]
    phase: Annotated[Phase | None, Meta(description="What it spends its time with now; null: it has ended")]
    spent_seconds: Spent
    events: list[Event]
    trace_id: str
    links: TimelineLinks


def timeline(made: told.Timeline) -> Timeline:
    story, path = made.story, f"{JOBS}/{made.story.id}"
    return Timeline(
        id=story.id,
        type=story.type,
        state=story.state,
        now=story.now,
        phase=made.phase,
        spent_seconds=Spent(**{phase.value: _seconds(length) for phase, length in made.spent.items()}),
        events=[_event(made, entry) for entry in made.entries],
        trace_id=story.trace_id,
        links=TimelineLinks(f"{path}/timeline", path, f"{path}/why", f"{path}/attempts"),
    )


def _event(made: told.Timeline, entry: told.Entry) -> Event:
    event, attempt = entry.event, entry.event.attempt
    failed = attempt is not None and (attempt.error_type is not None or attempt.error_message is not None)
    return Event(
        event=event.what,
        at=event.at,
        after_seconds=_seconds(entry.after),
        spent=entry.spent,
        sentence=told.sentence(made.story, event),
        attempt=event.number,
        lease=event.lease,
        worker=event.worker,
        outcome=Outcome(attempt.outcome) if attempt else None,
        reason=attempt.reason if attempt else None,
        error=JobError(attempt.error_type, attempt.error_message) if attempt and failed else None,
    )


def _seconds(length: timedelta) -> float:
    return round(length.total_seconds(), 3)
