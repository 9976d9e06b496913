"""What crosses between a worker and a child process arrives as what it was; nothing else does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import dramatiq
import msgspec
import pytest

from actors.attempts.verdict import Budget, Failed, Raised, Retry, Snoozed, Verdict, decide, trouble_of
from actors.ends import PermanentError, RetryAfter, Snooze
from actors.isolation.frames import Frames, framed
from actors.isolation.raised import rebuilt, told
from actors.isolation.said import Line, Progress, Returned, Told, to_worker
from persistence.accepting.submission import fill
from persistence.declared.job_types import JobType
from wire.envelope import encode, parse
from wire.errors import DatabaseUnavailable, Refused, Unavailable
from wire.tracing import Trace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TYPE = JobType("echo", "default", "", '{"type": "object"}', 5, 3, 60.0, 2.0, 300.0)


class OwnPermanent(PermanentError):
    """Of a project."""


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def crossed(error: BaseException) -> BaseException:
    return rebuilt(msgspec.msgpack.decode(msgspec.msgpack.encode(told(error)), type=Told))


@pytest.mark.parametrize(
    "error",
    [
        PermanentError("never"),
        OwnPermanent("not in this project"),
        RetryAfter(30, "busy"),
        Snooze(2.5),
        dramatiq.Retry("again", delay=1_500),
        Refused("payload.to", "is missing", "name one"),
        ValueError("any other"),
        MemoryError(),
        SystemExit(3),
        Unspeakable(),
        asyncio.CancelledError(),
        KeyError("\ud800"),
    ],
    ids=repr,
)
def test_an_error_that_crosses_is_judged_as_it_would_be_here(error: BaseException) -> None:
    def judged(one: BaseException) -> tuple[type[Verdict], object, str]:
        verdict = decide(Raised(one), Budget(1, 3, base=SECOND, cap=SECOND), 0.0)
        assert isinstance(verdict, Retry | Failed | Snoozed)
        return type(verdict), getattr(verdict, "after", None), verdict.trouble.type

    found, words = crossed(error), trouble_of(error).message

    assert judged(error) == judged(found)
    assert words.encode("utf-8", "replace").decode() == trouble_of(found).message


def test_an_error_brings_its_own_stack() -> None:
    with pytest.raises(ValueError, match="deep down") as raised:
        _deep()

    assert "in _deep" in (trouble_of(crossed(raised.value)).traceback or "")


def _deep() -> None:
    raise ValueError("deep down")


def test_a_store_that_is_away_is_away_on_the_other_side_too() -> None:
    away = crossed(DatabaseUnavailable("Postgres is away"))

    assert isinstance(away, Unavailable)
    assert ("DatabaseUnavailable", "Postgres is away") == (type(away).__name__, str(away))


def test_an_envelope_and_its_submission_arrive_as_they_were() -> None:
    body = (
        b'{"type":"echo","payload":{"n":123456789012345678901234567890,"b":1.50},"tags":["a"],"delay":5.0,'
        b'"unique":{"by":["payload.n"],"within_seconds":60},"x_more":[1],'
        b'"id":"00000000-0000-0000-0000-000000000001"}'
    )
    envelope = parse(body, now=NOW)
    again = parse(encode(envelope), now=NOW)
    submission = fill(again, TYPE, body, Trace.begin(), NOW)
    ended = Returned(1, "null", [submission])

    assert envelope == again
    assert ended == to_worker(msgspec.msgpack.encode(ended))


def test_messages_arrive_whole_and_in_order_however_they_are_cut() -> None:
    said = [Progress(1, 0.5, "half"), Line(1, b"x" * 5_000), Progress(1, None, None)]
    heard = list[object]()
    frames = Frames(lambda body: heard.append(to_worker(body)), lambda: None)
    stream = b"".join(map(framed, said))
    for start in range(0, len(stream), 7):
        frames.data_received(stream[start : start + 7])

    assert said == heard


def test_what_is_not_a_message_is_no_code_either() -> None:
    with pytest.raises(msgspec.DecodeError):
        to_worker(b"\x80\x04\x95cos\nsystem\n")
