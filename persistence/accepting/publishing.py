"""The spans of messages that are published: one a message, whose place in the trace the message carries on.

A job's first message from here is the root of a trace that began here.  A message that is not confirmed is a span that
failed: the sweep sends another, which has its own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from msgspec.structs import replace

from wire.masks import mask_text
from wire.message import PUBLISHED, Outgoing
from wire.spans import names, otlp
from wire.spans.otlp import Span
from wire.spans.recording import Recording
from wire.topology import INNER, routing_key
from wire.tracing import UNRECORDED, Trace

LADDER: Final = "delay"
UNCONFIRMED: Final = otlp.word(names.ERROR, "unconfirmed") + otlp.failure("RabbitMQ did not confirm it in time")


class Posted(Protocol):
    """What is to be known of a message (an outbox row, see outbox.py)."""

    @property
    def job_id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def run(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def wait(self) -> timedelta: ...
    @property
    def because(self) -> str | None: ...
    @property
    def trace(self) -> Trace: ...
    def message(self, trace: Mapping[str, str | int] | None = None) -> Outgoing: ...


class _Sent(NamedTuple):
    number: int
    post: Posted
    place: Trace
    parent: str
    is_root: bool


class Publishing:
    """One group of messages, from now until each is confirmed or not."""

    def __init__(self, recording: Recording, posts: Sequence[Posted]) -> None:
        self._recording, self._began = recording, time.time_ns()
        self._sent: list[_Sent] = []
        self.messages = [self._message(number, post) for number, post in enumerate(posts)]

    def ended(self, confirmed: Sequence[bool]) -> None:
        """The broker has spoken of each."""
        if self._sent:
            ended = time.time_ns()
            told = [(sent, confirmed[sent.number]) for sent in self._sent]
            # of a root that is not confirmed the sweep will tell, by the same id
            self._recording.put([self._span(sent, ended, safe=safe) for sent, safe in told if safe or not sent.is_root])

    def _message(self, number: int, post: Posted) -> Outgoing:
        trace = post.trace
        if not trace.recorded:
            return post.message()
        if trace.begun and not self._recording.keeps(trace.trace_id):  # it began in the database, which cannot say
            return post.message(replace(trace, flags=UNRECORDED).headers())
        first = trace.begun and (post.run == 1 or trace.origin is not None)
        place = trace if first else trace.child()
        self._sent.append(_Sent(number, post, place, "" if first else trace.span_id, first))
        return post.message({**place.headers(), PUBLISHED: -(-self._began // 1_000)})

    def _span(self, sent: _Sent, ended: int, *, safe: bool) -> Span:
        post, place, origin = sent.post, sent.place, sent.post.trace.origin
        job_id = str(post.job_id)
        rest = b"".join((
            _destination(post.type, post.priority, waits=bool(post.wait)),
            otlp.attributes({
                names.MESSAGE_ID: job_id, names.JOB_ID: job_id, names.BODY_SIZE: len(post.body), names.RUN: post.run,
                names.BECAUSE: post.because and mask_text(post.because),
            }),
            b"" if safe else UNCONFIRMED,
            otlp.link(origin.trace_id, origin.span_id) if origin else b"",
        ))  # fmt: skip
        name = otlp.name_of(f"publish {post.type}")
        return Span(
            place.trace_id, place.span_id, sent.parent, name, otlp.PRODUCER, self._began, ended, rest, place.state
        )


def _destination(job_type: str, priority: int, *, waits: bool) -> bytes:
    key = routing_key(job_type, priority)
    return b"".join((
        otlp.word(names.SYSTEM, "rabbitmq"), otlp.word(names.OPERATION, "publish"),
        otlp.word(names.OPERATION_TYPE, "send"), otlp.word(names.DESTINATION, f"{LADDER if waits else INNER}:{key}"),
        otlp.word(names.ROUTING_KEY, key), otlp.word(names.JOB_TYPE, job_type), otlp.word(names.PRIORITY, priority),
    ))  # fmt: skip
