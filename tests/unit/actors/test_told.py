"""What OpenTelemetry is told of a failure holds no more secrets than a log line would."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from actors.attempts.told import Telling, Told
from actors.deliveries.delivery import Delivery
from persistence.accepting.outbox import Post
from persistence.accepting.publishing import Publishing
from persistence.attempts.claim import Answer, Claim
from persistence.attempts.record import Ending
from wire.message import Incoming
from wire.spans import here
from wire.spans.current import surround
from wire.spans.otlp import Span
from wire.spans.recording import Recording
from wire.states import Outcome, State
from wire.tracing import Trace

SECRET = "hunter2"
WORDS = f"401 for https://shop.example/?token={SECRET} with password={SECRET}"


@pytest.fixture
def put() -> Iterator[list[Span]]:
    spans = list[Span]()
    here.spans = Recording(spans.extend, keeps=lambda _: True, follows=lambda *_: True, surround=surround)
    yield spans
    here.spans = None


def test_the_words_of_an_error_are_masked(put: list[Span]) -> None:
    assert here.spans is not None
    now, trace = datetime.now(UTC), Trace.begin()
    message = Incoming(b"{}", "jobs", "job.echo.p5", "work.default", {"run": 1}, str(uuid4()), "echo", 5)
    delivery = Delivery(message, 1, 1)
    claim = Claim(Answer.CLAIMED, lease=1, run=1, attempt=1, timeout_seconds=60.0, traceparent=trace.parent)
    told = Told(here.spans, delivery, claim, "default", 5)
    assert delivery.job_id is not None
    failed = Ending(
        delivery.job_id, 1, 1, 1, "w", Outcome.FAILED, State.FAILED, now, now, error_type="Refused", error_message=WORDS
    )
    Telling(here.spans, [told]).recorded({delivery.job_id: failed}, {})

    assert b"process echo" in b"".join(span.name for span in put)
    assert SECRET.encode() not in b"".join(span.rest for span in put)


def test_why_a_message_is_sent_again_is_masked(put: list[Span]) -> None:
    assert here.spans is not None
    post = Post(
        seq=1, job_id=uuid4(), type="echo", priority=5, body=b"{}", run=2, attempt=1, wait=timedelta(0), exact=False,
        because=WORDS, trace=Trace.begin(),
    )  # fmt: skip
    Publishing(here.spans, [post]).ended([True])

    assert [True] == [b"password=***" in span.rest and SECRET.encode() not in span.rest for span in put]


def test_what_an_actor_records_of_an_exception_is_masked() -> None:
    trace = Trace.begin()
    span = copy_context().run(surround, trace.trace_id, trace.span_id, "", "", sampled=True)
    assert span is not None
    span.record_exception(ValueError(WORDS))

    assert [True] == [SECRET.encode() not in said for said in span.said or ()]
