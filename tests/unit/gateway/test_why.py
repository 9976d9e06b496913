"""Facts → the sentence and the word: one row for each cause, and what is told beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gateway.telling.why import Broker, Cause, Told, explain
from persistence.declared.pauses import Kind, Pause
from persistence.questions.why import Ahead, Crew, Facts, Holder, Last, Post, Turn
from wire.states import Outcome, Reason, State

NOW = datetime(2026, 11, 21, 12, 3, 0, tzinfo=UTC)
IDLE = Crew(serving=2, consuming=2, slots=20, free_slots=20, last_seen_at=NOW)
BUSY = replace(IDLE, free_slots=0)
UP = Broker(connected=True)
AWAY = Broker(connected=False, fault="ConnectionRefusedError: [Errno 111]")
ALARM = Broker(connected=True, alarm=True)
FAULT = {"error_type": "HTTPStatusError", "error_message": "HTTP 503"}


def seconds(number: float) -> datetime:
    return NOW + timedelta(seconds=number)


QUEUED = Facts(
    now=NOW,
    id=UUID(int=7),
    type="mail.send",
    queue="mail",
    state=State.QUEUED,
    reason=None,
    priority=5,
    attempt=0,
    max_retries=3,
    crashes=0,
    rescues=0,
    created_at=seconds(-60),
    due_at=None,
    since=seconds(-60),
    started_at=None,
    finished_at=None,
    expires_at=None,
    cancel_requested_at=None,
    orphaned_at=None,
    rescued_at=None,
    progress=None,
    note=None,
    error_type=None,
    error_message=None,
    crew=IDLE,
    ahead=Ahead(0, at_most=False),
)


def ended(state: State, **said: Any) -> Facts:
    done = {"attempt": 2, "started_at": seconds(-400), "finished_at": seconds(-300), "ahead": None}
    return replace(QUEUED, state=state, **{**done, **said})


def running(**said: Any) -> Facts:
    holder = Holder(UUID(int=1), "w:1", seconds(-1), silent=False, ended_at=None)
    begun = {"attempt": 1, "started_at": seconds(-9), "holder": holder, "ahead": None}
    return replace(QUEUED, state=State.RUNNING, **{**begun, **said})


def retrying(outcome: Outcome = Outcome.RETRY, **said: Any) -> Facts:
    last = Last(2, 2, outcome, None, "w:1", seconds(-1), *FAULT.values())
    waits = {"attempt": 2, "due_at": seconds(10), "since": seconds(10), "last": last, "ahead": None, **FAULT}
    return replace(QUEUED, state=State.RETRYING, **{**waits, **said})


def posted(**said: Any) -> Facts:
    stuck = Post(since=seconds(-60), because=None, tries=2, next_try_at=seconds(20))
    return replace(QUEUED, post=replace(stuck, **said))


def paused(kind: Kind, note: str | None = None) -> Pause:
    return Pause(kind, "mail", seconds(-86_400), "ada", note)


GONE = Holder(UUID(int=1), "w:1", seconds(-20), silent=True, ended_at=None)

CAUSES: list[tuple[Facts, Broker, Cause, str]] = [
    (ended(State.COMPLETED), UP, Cause.COMPLETED, "It completed 5 min ago after 2 attempts."),
    (
        ended(State.COMPLETED, attempt=1, finished_at=seconds(-3 * 86_400)),
        UP,
        Cause.COMPLETED,
        "It completed 3 days ago after 1 attempt.",
    ),
    (
        ended(State.FAILED, reason=Reason.EXHAUSTED, attempt=4, **FAULT),
        UP,
        Cause.FAILED,
        "It failed 5 min ago in attempt 4 of 4, with no retry left: HTTP 503.",
    ),
    (
        ended(State.FAILED, reason=Reason.PERMANENT, error_type="ValueError", error_message=""),
        UP,
        Cause.FAILED,
        "It failed 5 min ago in attempt 2 of 4, for good: ValueError.",
    ),
    (
        ended(State.FAILED, reason=Reason.UNROUTABLE, attempt=0, error_type="Unroutable", error_message="no queue"),
        UP,
        Cause.FAILED,
        "It failed 5 min ago before its first attempt, because no queue takes its type: no queue.",
    ),
    (ended(State.CANCELLED), UP, Cause.CANCELLED, "It was cancelled 5 min ago."),
    (
        ended(State.CANCELLED, started_at=None),
        UP,
        Cause.CANCELLED,
        "It was cancelled 5 min ago before it had started.",
    ),
    (
        ended(State.EXPIRED, expires_at=seconds(-301)),
        UP,
        Cause.EXPIRED,
        "It expired 5 min ago: its deadline, 11:57:59 UTC, had passed before it could start.",
    ),
    (running(), UP, Cause.RUNNING, "It runs on worker w:1 since 12:02:51 UTC, attempt 1 of 4."),
    (
        running(progress=0.4, note="page 4"),
        UP,
        Cause.RUNNING,
        "It runs on worker w:1 since 12:02:51 UTC, attempt 1 of 4; it last said: 40%, page 4.",
    ),
    (
        running(cancel_requested_at=seconds(-2)),
        UP,
        Cause.CANCELLING,
        "It runs on worker w:1 since 12:02:51 UTC, attempt 1 of 4, and was asked at 12:02:58 UTC to end.",
    ),
    (
        running(holder=GONE, orphaned_at=seconds(-1)),
        UP,
        Cause.WORKER_LOST,
        "Its worker w:1 was lost at 12:02:59 UTC while it ran attempt 1 of 4; another takes it over, or it is sent "
        "again.",
    ),
    (
        running(holder=GONE),
        UP,
        Cause.WORKER_SILENT,
        "It was started on worker w:1 since 12:02:51 UTC, attempt 1 of 4; that worker is silent, last heard of 20 s "
        "ago.",
    ),
    (
        replace(QUEUED, expires_at=seconds(-1)),
        UP,
        Cause.PAST_DEADLINE,
        "Its deadline passed at 12:02:59 UTC: it will not run, and expires when its turn comes.",
    ),
    (
        retrying(),
        UP,
        Cause.RETRY_WAIT,
        "It waits in the ladder until 12:03:10 UTC for attempt 3 of 4, because attempt 2 failed: HTTP 503.",
    ),
    (
        retrying(attempt=5),  # its type decides by itself how often it is tried
        UP,
        Cause.RETRY_WAIT,
        "It waits in the ladder until 12:03:10 UTC for attempt 6, because attempt 2 failed: HTTP 503.",
    ),
    (
        retrying(Outcome.SNOOZED),
        UP,
        Cause.SNOOZED,
        "It waits in the ladder until 12:03:10 UTC, because it put itself off: HTTP 503.",
    ),
    (
        retrying(Outcome.SNOOZED, turn=Turn("https://news.example", 12, seconds(14.4), 1.0)),
        UP,
        Cause.HOST_TURN,
        "It waits for its turn at https://news.example: 12 of its line are before it, requests there are 1 s apart, "
        "and its turn comes about 12:03:14 UTC.",
    ),
    (
        retrying(Outcome.SNOOZED, turn=Turn("https://news.example", None, seconds(11), 1.0)),
        UP,
        Cause.HOST_TURN,
        "It waits for its turn at https://news.example, which is at 12:03:11 UTC.",
    ),
    (
        retrying(Outcome.CRASHED, crashes=1),
        UP,
        Cause.RUNS_ALONE,
        "It waits in the ladder until 12:03:10 UTC, because a worker died while it ran: now it runs beside no other "
        "job that saw one die.",
    ),
    (
        replace(QUEUED, state=State.SCHEDULED, due_at=seconds(86_400), ahead=None),
        UP,
        Cause.DELAYED,
        "It is not due before 2026-11-22 12:03:00 UTC: its submitter delayed it.",
    ),
    (
        posted(),
        AWAY,
        Cause.BROKER_AWAY,
        "It is not yet published: its message waits in the outbox since 12:02:00 UTC, because RabbitMQ cannot be "
        "reached (ConnectionRefusedError: [Errno 111]).",
    ),
    (
        QUEUED,
        AWAY,
        Cause.BROKER_AWAY,
        "RabbitMQ cannot be reached (ConnectionRefusedError: [Errno 111]), so nothing is delivered as far as this "
        "gateway can see.",
    ),
    (
        posted(since=None),
        ALARM,
        Cause.BROKER_ALARM,
        "It is not yet published: its message waits in the outbox, because RabbitMQ takes no messages: it has raised "
        "an alarm (memory or disk).",
    ),
    (
        posted(),
        UP,
        Cause.UNPUBLISHED,
        "It is not yet published: its message waits in the outbox since 12:02:00 UTC; the scheduler has tried 2 times, "
        "and tries at 12:03:20 UTC.",
    ),
    (
        posted(tries=0, next_try_at=seconds(-50)),
        UP,
        Cause.UNPUBLISHED,
        "It is not yet published: its message waits in the outbox since 12:02:00 UTC; no scheduler has tried it "
        "yet, and it was to be by 12:02:10 UTC: is a scheduler running?",
    ),
    (
        replace(QUEUED, outbox_is_long=True),
        UP,
        Cause.UNPUBLISHED,
        "It may not yet be published: the outbox is long, and perhaps its message is among those that wait there.",
    ),
    (
        replace(QUEUED, paused_queue=paused(Kind.QUEUE, "the server\nis moved"), crew=replace(IDLE, consuming=0)),
        UP,
        Cause.QUEUE_PAUSED,
        "The queue mail is paused since 2026-11-20 12:03:00 UTC by ada: the server is moved.",
    ),
    (
        replace(QUEUED, paused_type=paused(Kind.TYPE)),
        UP,
        Cause.TYPE_PAUSED,
        "The job type mail.send is paused since 2026-11-20 12:03:00 UTC by ada.",
    ),
    (
        replace(QUEUED, crew=Crew(last_seen_at=seconds(-3 * 3600))),
        UP,
        Cause.NO_WORKER,
        "No worker serves the type mail.send from the queue mail; the last one was seen 3 h ago.",
    ),
    (
        replace(QUEUED, crew=Crew()),
        UP,
        Cause.NO_WORKER,
        "No worker serves the type mail.send from the queue mail; none has been seen within the last day.",
    ),
    (
        replace(QUEUED, crew=Crew(serving=1, draining=1, last_seen_at=NOW)),
        UP,
        Cause.NOT_CONSUMED,
        "1 worker serves the type mail.send, but none takes jobs: 1 of them about to end.",
    ),
    (
        replace(QUEUED, crew=Crew(serving=2, last_seen_at=NOW)),
        UP,
        Cause.NOT_CONSUMED,
        "2 workers serve the type mail.send, but none takes jobs: none has its subscriptions at RabbitMQ.",
    ),
    (
        replace(QUEUED, overtaken=True, rescued_at=seconds(-5)),
        UP,
        Cause.MESSAGE_LOST,
        "Its message is lost, it seems: jobs of the queue mail that came due long after it have started; the scheduler "
        "sends it again (it was last sent again at 12:02:55 UTC).",
    ),
    (
        replace(QUEUED, ahead=Ahead(1_240, at_most=False), crew=BUSY),
        UP,
        Cause.BEHIND_OTHERS,
        "About 1,240 jobs of higher or equal priority are ahead of it in the queue mail; 2 workers run 20 at once.",
    ),
    (
        replace(QUEUED, ahead=Ahead(612_000, at_most=True)),
        UP,
        Cause.BEHIND_OTHERS,
        "At most 612,000 jobs of higher or equal priority are ahead of it in the queue mail; 2 workers run 20 at once.",
    ),
    (
        replace(QUEUED, ahead=Ahead(1, at_most=False), crew=replace(IDLE, consuming=1, slots=10)),
        UP,
        Cause.BEHIND_OTHERS,
        "About 1 job of higher or equal priority is ahead of it in the queue mail; 1 worker runs 10 at once.",
    ),
    (
        replace(QUEUED, crew=BUSY),
        UP,
        Cause.WORKERS_BUSY,
        "It is the next of the queue mail, but all 20 slots of 2 workers that serve it are taken.",
    ),
    (
        replace(QUEUED, since=seconds(-61)),
        UP,
        Cause.MESSAGE_LOST,
        "Its message is lost, it seems: it is due since 12:01:59 UTC and the next of the queue mail, and a slot is "
        "free; the scheduler sends it again.",
    ),
    (
        QUEUED,
        UP,
        Cause.STARTING,
        "It is due since 12:02:00 UTC and the next of the queue mail: it starts any moment.",
    ),
]


@pytest.mark.parametrize(("facts", "broker", "cause", "sentence"), CAUSES, ids=[row[2].value for row in CAUSES])
def test_a_cause_in_words(facts: Facts, broker: Broker, cause: Cause, sentence: str) -> None:
    assert Told(cause, sentence) == explain(facts, broker).told


def test_every_cause_has_a_row() -> None:
    assert set(Cause) == {cause for _, _, cause, _ in CAUSES}


def test_what_else_keeps_it_is_told_in_order() -> None:
    facts = retrying(paused_queue=paused(Kind.QUEUE), crew=Crew())
    answer = explain(facts, AWAY)

    assert [Cause.RETRY_WAIT, Cause.BROKER_AWAY, Cause.QUEUE_PAUSED, Cause.NO_WORKER] == [
        told.cause for told in (answer.told, *answer.also)
    ]


def test_the_jobs_ahead_are_told_beside_a_pause_and_busy_workers_are_not() -> None:
    still = replace(QUEUED, paused_type=paused(Kind.TYPE), crew=BUSY)
    ahead = explain(replace(still, ahead=Ahead(7, at_most=False)), UP)

    assert (Cause.TYPE_PAUSED, [Cause.BEHIND_OTHERS]) == (ahead.told.cause, [told.cause for told in ahead.also])
    assert () == explain(still, UP).also


def test_a_long_wait_is_rounded_up_before_its_message_counts_as_lost() -> None:
    """
    The ladder may bring the message of a day's wait eleven minutes late.
    """
    back = Last(1, 1, Outcome.RETRY, None, "w:1", seconds(-86_400 - 300), "E", "no")
    facts = replace(QUEUED, state=State.RETRYING, last=back, due_at=seconds(-300), since=seconds(-300))

    assert Cause.STARTING is explain(facts, UP).told.cause
    assert Cause.MESSAGE_LOST is explain(replace(facts, now=seconds(500)), UP).told.cause


def test_an_ended_job_is_told_whatever_is_broken() -> None:
    facts = ended(State.COMPLETED, crew=Crew(), paused_queue=paused(Kind.QUEUE), expires_at=seconds(-1))

    assert Cause.COMPLETED is explain(facts, AWAY).told.cause
    assert () == explain(facts, AWAY).also


def test_a_long_error_is_cut_and_stands_in_one_line() -> None:
    told = explain(ended(State.FAILED, reason=Reason.PERMANENT, error_type="E", error_message="no\n" * 500), UP).told

    assert "\n" not in told.sentence
    assert len(told.sentence) < 300


def test_the_page_tells_every_cause_once() -> None:
    page = (Path(__file__).parents[3] / "docs" / "why.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    told = [word for row in rows for word in re.findall(r"`(\w+)`", row) if word != "cause"]

    assert {cause.value for cause in Cause} == set(told)
    assert len(Cause) == len(told)
