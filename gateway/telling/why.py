"""Why a job does not run, or how it stands: the facts → one plain sentence and one word for programs.  Pure.

The causes stand in the order in which a job meets them: its time, its message, what people have paused, its workers,
the jobs ahead of it.  The first that holds is the answer; those behind it would keep the job from running too and are
told beside it.  Nothing is guessed: what nobody has written down is not said.

What a job was made by does not keep it: how its schedule stands is told beside it (gateway/schedules/standing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.telling.words import ago, clock, fault, several
from persistence.declared.pauses import Pause
from persistence.mending.rescue import MOST_ROUNDING
from persistence.questions.why import COUNTED, OVERTAKEN_SECONDS, Facts, Turn
from wire.states import Outcome, Reason, State

PROMPT_SECONDS: Final = 15.0  # a sweep comes every second; one that is so late does not come


class Cause(StrEnum):
    """What keeps it, or what became of it; programs may rely on these words."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RUNNING = "running"
    CANCELLING = "cancelling"
    WORKER_LOST = "worker_lost"
    WORKER_SILENT = "worker_silent"
    PAST_DEADLINE = "past_deadline"
    RETRY_WAIT = "retry_wait"
    SNOOZED = "snoozed"
    HOST_TURN = "host_turn"
    RUNS_ALONE = "runs_alone"
    DELAYED = "delayed"
    BROKER_AWAY = "broker_away"
    BROKER_ALARM = "broker_alarm"
    UNPUBLISHED = "unpublished"
    QUEUE_PAUSED = "queue_paused"
    TYPE_PAUSED = "type_paused"
    NO_WORKER = "no_worker"
    NOT_CONSUMED = "not_consumed"
    MESSAGE_LOST = "message_lost"
    BEHIND_OTHERS = "behind_others"
    WORKERS_BUSY = "workers_busy"
    STARTING = "starting"


@dataclass(frozen=True, slots=True)
class Broker:
    """RabbitMQ as this gateway sees it."""

    connected: bool
    alarm: bool = False  # it takes no messages
    fault: str = ""  # of the last try to connect


@dataclass(frozen=True, slots=True)
class Told:
    """One cause in words."""

    cause: Cause
    sentence: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The first cause, and what else would keep the job from running."""

    told: Told
    also: tuple[Told, ...] = ()


def explain(facts: Facts, broker: Broker) -> Answer:
    """Why it stands where it stands."""
    if facts.state is State.RUNNING:
        return Answer(_running(facts))
    if not facts.waits:
        return Answer(Told(Cause(facts.state.value), _ENDED[facts.state](facts)))
    first, *also = [*_obstacles(facts, broker), *_crowd(facts)] or [_starting(facts)]
    return Answer(first, tuple(one for one in also if one.cause is not Cause.WORKERS_BUSY))


def _running(facts: Facts) -> Told:
    who, now = facts.holder.name if facts.holder else "(its row is gone)", facts.now
    since = f" since {clock(now, facts.started_at)}" if facts.started_at else ""
    told = f"{who}{since}, {_nth(facts, facts.attempt)}"
    if facts.orphaned_at:
        lost = f"Its worker {who} was lost at {clock(now, facts.orphaned_at)} while it ran {_nth(facts, facts.attempt)}"
        return Told(Cause.WORKER_LOST, f"{lost}; another takes it over, or it is sent again.")
    if facts.cancel_requested_at:
        asked = clock(now, facts.cancel_requested_at)
        return Told(Cause.CANCELLING, f"It runs on worker {told}, and was asked at {asked} to end.")
    if facts.holder is None or facts.holder.silent or facts.holder.ended_at:
        heard = f"last heard of {ago(now, facts.holder.heartbeat_at)}" if facts.holder else "and forgotten"
        return Told(Cause.WORKER_SILENT, f"It was started on worker {told}; that worker is silent, {heard}.")
    return Told(Cause.RUNNING, f"It runs on worker {told}{_progress(facts)}.")


def _progress(facts: Facts) -> str:
    if facts.progress is None and facts.note is None:
        return ""
    said = [
        f"{facts.progress:.0%}" if facts.progress is not None else "",
        fault(None, facts.note) if facts.note else "",
    ]
    return f"; it last said: {', '.join(filter(None, said))}"


def _completed(facts: Facts) -> str:
    return f"It completed{_when(facts)} after {several(facts.attempt, 'attempt')}."


def _failed(facts: Facts) -> str:
    where = f" in {_nth(facts, facts.attempt)}" if facts.attempt else " before its first attempt"
    return f"It failed{_when(facts)}{where}, {_FAILED[facts.reason or Reason.PERMANENT]}: {_fault(facts)}."


def _cancelled(facts: Facts) -> str:
    return f"It was cancelled{_when(facts)}{'' if facts.started_at else ' before it had started'}."


def _expired(facts: Facts) -> str:
    deadline = f"its deadline, {clock(facts.now, facts.expires_at)}," if facts.expires_at else "its deadline"
    return f"It expired{_when(facts)}: {deadline} had passed before it could start."


def _when(facts: Facts) -> str:
    return f" {ago(facts.now, facts.finished_at)}" if facts.finished_at else ""


_ENDED: Final[dict[State, Callable[[Facts], str]]] = {
    State.COMPLETED: _completed,
    State.FAILED: _failed,
    State.CANCELLED: _cancelled,
    State.EXPIRED: _expired,
}
_FAILED: Final = {
    Reason.PERMANENT: "for good",
    Reason.EXHAUSTED: "with no retry left",
    Reason.TIMEOUT: "with no retry left",
    Reason.POISON: "because it ended every worker that ran it",
    Reason.UNSTORABLE_RESULT: "because its result cannot be kept",
    Reason.MALFORMED: "because its message cannot be read",
    Reason.UNROUTABLE: "because no queue takes its type",
}


def _obstacles(facts: Facts, broker: Broker) -> Iterator[Told]:
    """What keeps it, whoever else waits."""
    if facts.expires_at and facts.expires_at <= facts.now:
        passed = clock(facts.now, facts.expires_at)
        yield Told(
            Cause.PAST_DEADLINE, f"Its deadline passed at {passed}: it will not run, and expires when its turn comes."
        )
    if not facts.due:
        yield _not_due(facts)
    yield from _unpublished(facts, broker)
    if facts.paused_queue:
        yield Told(Cause.QUEUE_PAUSED, f"The queue {facts.queue} is {_paused(facts, facts.paused_queue)}.")
    if facts.paused_type:
        yield Told(Cause.TYPE_PAUSED, f"The job type {facts.type} is {_paused(facts, facts.paused_type)}.")
    yield from _without_worker(facts)
    if facts.due and not (facts.post or facts.paused_type or facts.paused_queue) and (how := _lost(facts)):
        again = f" (it was last sent again at {clock(facts.now, facts.rescued_at)})" if facts.rescued_at else ""
        yield Told(Cause.MESSAGE_LOST, f"Its message is lost, it seems: {how}; the scheduler sends it again{again}.")


def _not_due(facts: Facts) -> Told:
    """It waits in the ladder; what for, its last attempt says."""
    assert facts.due_at
    until, last, coming = clock(facts.now, facts.due_at), facts.last, _nth(facts, facts.attempt + 1)
    if facts.state is not State.RETRYING:
        return Told(Cause.DELAYED, f"It is not due before {until}: its submitter delayed it.")
    if facts.turn and last and last.outcome is Outcome.SNOOZED:
        return Told(Cause.HOST_TURN, _turn(facts, facts.turn))
    if last and last.outcome is Outcome.SNOOZED:
        said = fault(last.error_type, last.error_message)
        return Told(Cause.SNOOZED, f"It waits in the ladder until {until}, because it put itself off: {said}.")
    if last and last.outcome in (Outcome.CRASHED, Outcome.INTERRUPTED) and facts.crashes:
        return Told(
            Cause.RUNS_ALONE,
            f"It waits in the ladder until {until}, because a worker died while it ran: now it runs beside no other "
            "job that saw one die.",
        )
    why = f", because attempt {last.attempt} failed: {_fault(facts)}" if last and last.outcome is Outcome.RETRY else ""
    return Told(Cause.RETRY_WAIT, f"It waits in the ladder until {until} for {coming}{why}.")


def _turn(facts: Facts, turn: Turn) -> str:
    at = clock(facts.now, turn.at)
    if turn.ahead is None:
        return f"It waits for its turn at {turn.host}, which is at {at}."
    many = f"{turn.ahead:,} or more" if turn.ahead >= COUNTED else f"{turn.ahead:,}"
    before = f"{many} of its line {'is' if turn.ahead == 1 else 'are'} before it" if turn.ahead else "it is the next"
    apart = f"requests there are {turn.apart_seconds:g} s apart"
    return f"It waits for its turn at {turn.host}: {before}, {apart}, and its turn comes about {at}."


def _unpublished(facts: Facts, broker: Broker) -> Iterator[Told]:
    """Its message is not in RabbitMQ, or RabbitMQ gives none out."""
    waits = f"It is not yet published: {_outbox(facts)}" if facts.post else ""
    perhaps = "the outbox is long, and perhaps its message is among those that wait there"
    if not broker.connected:
        why = f"RabbitMQ cannot be reached ({fault(None, broker.fault)})"
        away = f"{waits}, because {why}" if waits else f"{why}, so nothing is delivered as far as this gateway can see"
        yield Told(Cause.BROKER_AWAY, f"{away}{f'; {perhaps}' if facts.outbox_is_long else ''}.")
    elif broker.alarm and (waits or facts.outbox_is_long):
        why = "RabbitMQ takes no messages: it has raised an alarm (memory or disk)"
        yield Told(Cause.BROKER_ALARM, f"{waits}, because {why}." if waits else f"{why}; {perhaps}.")
    elif waits:
        yield Told(Cause.UNPUBLISHED, f"{waits}; {_tried(facts)}")
    elif facts.outbox_is_long and not facts.paused_type:
        yield Told(Cause.UNPUBLISHED, f"It may not yet be published: {perhaps}.")


def _outbox(facts: Facts) -> str:
    assert facts.post
    since = f" since {clock(facts.now, facts.post.since)}" if facts.post.since else ""
    return f"its message waits in the outbox{since}"


def _tried(facts: Facts) -> str:
    post = facts.post
    assert post
    tried = f"the scheduler has tried {several(post.tries, 'time')}" if post.tries else "no scheduler has tried it yet"
    if (facts.now - post.next_try_at).total_seconds() > PROMPT_SECONDS:
        return f"{tried}, and it was to be by {clock(facts.now, post.next_try_at)}: is a scheduler running?"
    return f"{tried}, and tries at {clock(facts.now, post.next_try_at)}."


def _paused(facts: Facts, pause: Pause) -> str:
    note = f": {fault(None, pause.note)}" if pause.note else ""
    return f"paused since {clock(facts.now, pause.paused_at)} by {pause.paused_by}{note}"


def _without_worker(facts: Facts) -> Iterator[Told]:
    crew = facts.crew
    if not crew.serving:
        seen = f"the last one was seen {ago(facts.now, crew.last_seen_at)}" if crew.last_seen_at else _NEVER
        yield Told(Cause.NO_WORKER, f"No worker serves the type {facts.type} from the queue {facts.queue}; {seen}.")
    elif not crew.consuming and not facts.paused_queue:
        some = several(crew.serving, "worker serves", "workers serve")
        ending = f"{crew.draining} of them about to end" if crew.draining else "none has its subscriptions at RabbitMQ"
        yield Told(Cause.NOT_CONSUMED, f"{some} the type {facts.type}, but none takes jobs: {ending}.")


_NEVER: Final = "none has been seen within the last day"


def _lost(facts: Facts) -> str:
    """What tells that its message is gone, if anything does; scheduler/overtaken.py judges by the same."""
    if facts.overtaken:
        return f"jobs of the queue {facts.queue} that came due long after it have started"
    late = (facts.now - facts.since).total_seconds()
    waited = (facts.since - facts.last.finished_at).total_seconds() if facts.last else 0.0
    next_of_all = facts.ahead is not None and not facts.ahead.jobs and facts.crew.free_slots
    if next_of_all and late > OVERTAKEN_SECONDS + max(0.0, waited) / MOST_ROUNDING:
        since = clock(facts.now, facts.since)
        return f"it is due since {since} and the next of the queue {facts.queue}, and a slot is free"
    return ""


def _crowd(facts: Facts) -> Iterator[Told]:
    """Who goes first, if it is due."""
    if facts.ahead is None:
        return
    crew, number = facts.crew, facts.ahead.jobs
    strength = f"; {several(crew.consuming, 'worker runs', 'workers run')} {crew.slots:,} at once" if crew.slots else ""
    if number:
        some = f"{'At most' if facts.ahead.at_most else 'About'} {several(number, 'job')} of higher or equal priority"
        be = "is" if number == 1 else "are"
        yield Told(Cause.BEHIND_OTHERS, f"{some} {be} ahead of it in the queue {facts.queue}{strength}.")
    elif crew.slots and not crew.free_slots:
        taken = f"all {crew.slots:,} slots of {several(crew.consuming, 'worker')} that serve it are taken"
        yield Told(Cause.WORKERS_BUSY, f"It is the next of the queue {facts.queue}, but {taken}.")


def _starting(facts: Facts) -> Told:
    since = clock(facts.now, facts.since)
    return Told(
        Cause.STARTING, f"It is due since {since} and the next of the queue {facts.queue}: it starts any moment."
    )


def _nth(facts: Facts, attempt: int) -> str:
    """An attempt of so many; who decides about its retries itself may go beyond them."""
    most = facts.max_retries + 1
    return f"attempt {attempt} of {most}" if attempt <= most else f"attempt {attempt}"


def _fault(facts: Facts) -> str:
    return fault(facts.error_type, facts.error_message)
