"""What the gateway answers about why a job stands where it stands.  Knows no HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from msgspec import field as struct_field

from gateway.answers.crew import WORKERS
from gateway.answers.jobs import JOBS, JobError, Progress
from gateway.answers.pauses import Pause
from gateway.telling.why import Answer, Broker, Cause
from persistence.declared import pauses
from persistence.questions.why import Facts
from wire.states import Outcome, Reason, State


class Obstacle(Struct, frozen=True):
    cause: Cause
    sentence: str


class LastAttempt(Struct, frozen=True):
    """The last one that has ended."""

    attempt: int
    outcome: Outcome
    reason: str | None
    worker: str
    finished_at: datetime
    error: JobError | None


class Runner(Struct, frozen=True):
    """The worker that runs it."""

    name: str
    heartbeat_at: datetime
    link: str


class Serving(Struct, frozen=True):
    """The live workers that serve its type from its queue."""

    serving: int
    consuming: Annotated[int, Meta(description="Those that take jobs from it now")]
    draining: Annotated[int, Meta(description="Those that finish what they run and end")]
    slots: Annotated[int, Meta(description="Jobs that those that consume run at once")]
    free_slots: int
    last_seen_at: Annotated[datetime | None, Meta(description="null: none within the last day")]


class Ahead(Struct, frozen=True):
    """Jobs of its queue that are due and go before it."""

    jobs: int
    at_most: Annotated[bool, Meta(description="There are so many or fewer; false: there were just so many")]


class AtHost(Struct, frozen=True):
    """Its turn at a host that it visits."""

    host: Annotated[str, Meta(description="Scheme, name and port")]
    ahead: Annotated[int | None, Meta(description="In the host's line; null: its turn is promised")]
    at: Annotated[datetime, Meta(description="When that is, or about when the line will have come to it")]
    apart_seconds: Annotated[float, Meta(description="Between two requests there")]


class InOutbox(Struct, frozen=True):
    """Its message, which RabbitMQ has not confirmed."""

    since: Annotated[datetime | None, Meta(description="null: not known")]
    because: Annotated[str | None, Meta(description="Why it is sent again")]
    tries: Annotated[int, Meta(description="Of the scheduler's sweep")]
    next_try_at: datetime


class BrokerSeen(Struct, frozen=True):
    """RabbitMQ as this gateway sees it."""

    connected: bool
    alarm: Annotated[bool, Meta(description="It takes no messages: memory or disk is short")]


class OfSchedule(Struct, frozen=True):
    """The schedule that made it, and how that stands."""

    id: UUID
    name: str
    due_at: Annotated[datetime, Meta(description="The due time that the job is for")]
    sentence: Annotated[str, Meta(description="Why the schedule fires or does not; its words may change")]
    link: str


class WhyLinks(Struct, frozen=True):
    this: str = struct_field(name="self")
    job: str
    timeline: str


class Why(Struct, frozen=True):
    """What keeps a job from running, or what became of it."""

    id: UUID
    sentence: Annotated[str, Meta(description="For people; its words may change")]
    cause: Annotated[Cause, Meta(description="For programs; docs/why.md tells what each means")]
    also: Annotated[list[Obstacle], Meta(description="What else would keep it from running, in order")]
    now: Annotated[datetime, Meta(description="The database's clock, by which all is judged")]
    type: str
    queue: str
    state: State
    reason: Reason | None
    priority: int
    attempt: Annotated[int, Meta(description="Attempts that count, the running one included")]
    max_attempts: int
    created_at: datetime
    due_at: Annotated[datetime | None, Meta(description="null: from the beginning")]
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    cancel_requested_at: datetime | None
    error: JobError | None
    progress: Progress | None
    last_attempt: LastAttempt | None
    worker: Annotated[Runner | None, Meta(description="null: it does not run")]
    workers: Serving
    ahead: Annotated[Ahead | None, Meta(description="null: it does not wait, or is not due")]
    turn: Annotated[AtHost | None, Meta(description="null: it waits for no host")]
    queue_paused: Annotated[Pause | None, Meta(description="null: it is not")]
    type_paused: Annotated[Pause | None, Meta(description="null: it is not")]
    outbox: Annotated[
        InOutbox | None, Meta(description="null: RabbitMQ has its message, or it needs none, or it is just being sent")
    ]
    rescues: Annotated[int, Meta(description="How often its message was lost and sent again")]
    broker: BrokerSeen
    schedule: Annotated[OfSchedule | None, Meta(description="null: no schedule made it, or that is gone")]
    links: WhyLinks


def why(facts: Facts, answer: Answer, broker: Broker, schedule: OfSchedule | None = None) -> Why:
    path, crew = f"{JOBS}/{facts.id}", facts.crew
    return Why(
        id=facts.id,
        sentence=answer.told.sentence,
        cause=answer.told.cause,
        also=[Obstacle(told.cause, told.sentence) for told in answer.also],
        now=facts.now,
        type=facts.type,
        queue=facts.queue,
        state=facts.state,
        reason=facts.reason,
        priority=facts.priority,
        attempt=facts.attempt,
        max_attempts=facts.max_retries + 1,
        created_at=facts.created_at,
        due_at=facts.due_at,
        started_at=facts.started_at,
        finished_at=facts.finished_at,
        expires_at=facts.expires_at,
        cancel_requested_at=facts.cancel_requested_at,
        error=_error(facts.error_type, facts.error_message),
        progress=None if facts.progress is None and facts.note is None else Progress(facts.progress, facts.note),
        last_attempt=_last(facts),
        worker=_worker(facts),
        workers=Serving(crew.serving, crew.consuming, crew.draining, crew.slots, crew.free_slots, crew.last_seen_at),
        ahead=None if facts.ahead is None else Ahead(facts.ahead.jobs, facts.ahead.at_most),
        turn=_turn(facts),
        queue_paused=_pause(facts.paused_queue),
        type_paused=_pause(facts.paused_type),
        outbox=_outbox(facts),
        rescues=facts.rescues,
        broker=BrokerSeen(broker.connected, broker.alarm),
        schedule=schedule,
        links=WhyLinks(f"{path}/why", path, f"{path}/timeline"),
    )


def _last(facts: Facts) -> LastAttempt | None:
    last = facts.last
    if last is None:
        return None
    error = _error(last.error_type, last.error_message)
    return LastAttempt(last.attempt, last.outcome, last.reason, last.worker, last.finished_at, error)


def _worker(facts: Facts) -> Runner | None:
    held = facts.holder
    if held is None or facts.state is not State.RUNNING:
        return None
    return Runner(held.name, held.heartbeat_at, f"{WORKERS}/{held.session}")


def _turn(facts: Facts) -> AtHost | None:
    turn = facts.turn
    return None if turn is None else AtHost(turn.host, turn.ahead, turn.at, turn.apart_seconds)


def _outbox(facts: Facts) -> InOutbox | None:
    post = facts.post
    return None if post is None else InOutbox(post.since, post.because, post.tries, post.next_try_at)


def _pause(found: pauses.Pause | None) -> Pause | None:
    return None if found is None else Pause(found.paused_at, found.paused_by, found.note)


def _error(kind: str | None, message: str | None) -> JobError | None:
    return None if kind is None and message is None else JobError(kind, message)
