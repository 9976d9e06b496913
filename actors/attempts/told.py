"""What OpenTelemetry is told of an attempt: how long its job waited, what ran, and that it was recorded.

    publish → (wait in the ladder) → wait in the queue → process → record

All are siblings, children of the message's `publish`, so that a job with ten attempts reads as one list in the order of
time.  They are made when the attempt has been recorded, a batch at once; until then there is only what is current in
the actor's context.  Decides nothing: an attempt that is told of ends as any other does.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from actors.deliveries.delivery import Delivery
from persistence.attempts.claim import Claim
from persistence.attempts.record import Ending, Recorded
from wire import topology
from wire.masks import mask_text
from wire.message import PUBLISHED
from wire.spans import names, otlp
from wire.spans.otlp import Span
from wire.spans.recording import MOST_LINKS, Recording, fresh_span_id
from wire.states import Outcome, State
from wire.tracing import Trace

log = structlog.get_logger()

MESSAGE_ID: Final = otlp.key_of(names.MESSAGE_ID)
JOB_ID: Final = otlp.key_of(names.JOB_ID)
MOST_WORDS: Final = 2_000  # of an error
WAIT: Final = otlp.name_of("wait in the queue")
LADDER: Final = otlp.name_of("wait in the ladder")
RECORD: Final = otlp.name_of("record")
STORE: Final = otlp.word(names.DATABASE, "postgresql") + otlp.word(names.DATABASE_OPERATION, "record")
TROUBLE: Final = frozenset({Outcome.FAILED, Outcome.RETRY})


class Told:
    """Of one attempt, from its begin on."""

    __slots__ = ("_recording", "_span", "claim", "delivery", "is_first", "parent", "place", "priority", "queue")

    def __init__(self, recording: Recording, delivery: Delivery, claim: Claim, queue: str, priority: int) -> None:
        self._recording, self.delivery, self.claim = recording, delivery, claim
        self.queue, self.priority = queue, priority
        brought = delivery.brought
        self.parent = brought or Trace.kept(claim.traceparent, claim.tracestate)
        self.is_first = brought is None and self.parent.begun  # nobody has told of its publish
        self.place = self.parent.child() if self.parent.recorded else self.parent
        self._span: Any = None

    def enter(self) -> None:
        """Called in the attempt's own context: what its actor records is of this attempt."""
        place = self.place
        said = place.state, place.baggage
        try:
            self._span = self._recording.surround(place.trace_id, place.span_id, *said, sampled=place.recorded)
        except Exception:  # whatever is wrong with a span, its attempt has ended as it did
            log.warning("span_not_entered", exc_info=True)

    @property
    def said(self) -> bytes:
        """What the actor has added itself."""
        return b"".join(self._span.said or ()) if self._span is not None else b""

    @property
    def failed(self) -> str | None:
        """The words of a failure that the actor has set itself."""
        words: str | None = self._span.failed if self._span is not None else None
        return words and mask_text(words[:MOST_WORDS])


class Telling:
    """Of one batch, from the moment it goes to be recorded."""

    def __init__(self, recording: Recording, told: Sequence[Told | None]) -> None:
        self._recording, self._number, self._began = recording, len(told), time.time_ns()
        self._kept = [one for one in told if one is not None and one.place.recorded]

    def recorded(self, endings: Mapping[UUID, Ending], recorded: Mapping[UUID, Recorded]) -> None:
        """It stands."""
        try:
            if self._kept:
                self._tell(endings, recorded)
        except Exception:  # whatever is wrong with a span, its attempt has ended as it did
            log.warning("spans_not_told", jobs=self._number, exc_info=True)

    def _tell(self, endings: Mapping[UUID, Ending], recorded: Mapping[UUID, Recorded]) -> None:
        places = [told.place for told in self._kept[:MOST_LINKS]]
        links = [otlp.link(place.trace_id, place.span_id) for place in places]
        link, ended = self._recording.served("record", self._began, links, self._number), time.time_ns()
        offset, spans = ended - time.monotonic_ns(), list[Span]()
        for told in self._kept:
            job_id = told.delivery.job_id
            assert job_id is not None
            ids = _ids(str(job_id).encode())
            spans += _waited(told, ids, offset)
            spans.append(_processed(told, ids, endings[job_id], recorded.get(job_id)))
            rest = b"".join((ids, STORE, link))
            spans.append(_beside(told.parent, RECORD, otlp.CLIENT, (self._began, ended), rest))
        self._recording.put(spans)


def _ids(job_id: bytes) -> bytes:
    return otlp.text(MESSAGE_ID, job_id) + otlp.text(JOB_ID, job_id)


def _beside(parent: Trace, name: bytes, kind: int, times: tuple[int, int], rest: bytes) -> Span:
    """A child of the publish."""
    return Span(parent.trace_id, fresh_span_id(), parent.span_id, name, kind, *times, rest)


def _waited(told: Told, ids: bytes, offset: int) -> list[Span]:
    """From its publish to its delivery, and of that the ladder's part if it had to wait for its time."""
    delivery, arrived = told.delivery, int(told.delivery.arrived * 1e9) + offset
    due = _nanos(told.claim.due_at) if told.claim.due_at else arrived
    said = delivery.message.headers.get(PUBLISHED) if delivery.run is not None else None
    published = max(0, said) * 1_000 if isinstance(said, int) else due  # a stranger may say anything
    rest = ids + _of_queue(told.queue, delivery.type)
    began, spans = min(published, arrived), list[Span]()
    if published < due < arrived:
        spans.append(_beside(told.parent, LADDER, otlp.INTERNAL, (published, due), rest))
        began = due
    waited = _beside(told.parent, WAIT, otlp.INTERNAL, (began, arrived), rest)
    if told.is_first:  # this is where the trace begins
        waited = Span(waited.trace_id, told.parent.span_id, "", WAIT, otlp.INTERNAL, began, arrived, rest)
    return [*spans, waited]


def _processed(told: Told, ids: bytes, ending: Ending, recorded: Recorded | None) -> Span:
    claim, delivery, place = told.claim, told.delivery, told.place
    message, state = delivery.message, recorded.state if recorded else None
    rest = b"".join((
        _of_process(message.exchange, message.routing_key, message.queue),
        _of_queue(told.queue, delivery.type), ids,
        _of_end(ending.worker, told.priority, claim.attempt, ending.outcome, state), delivery.claimed_by, told.said,
        _trouble(ending) if ending.error_type else b"" if told.failed is None else otlp.failure(told.failed),
    ))  # fmt: skip
    return Span(
        place.trace_id, place.span_id, told.parent.span_id, otlp.name_of(f"process {delivery.type}"), otlp.CONSUMER,
        _nanos(ending.started_at), _nanos(ending.finished_at), rest, place.state,
    )  # fmt: skip


def _trouble(ending: Ending) -> bytes:
    """An error with its type and its words; never where it was raised, for code may hold what it was given."""
    kind, words = ending.error_type or "", mask_text((ending.error_message or "")[:MOST_WORDS])
    said = {names.EXCEPTION_TYPE: kind, names.EXCEPTION_MESSAGE: words}
    event = otlp.event("exception", _nanos(ending.finished_at), said)
    if ending.outcome not in TROUBLE:  # to snooze is no failure
        return event
    reason = {names.ERROR: kind, names.REASON: ending.reason.value if ending.reason else None}
    return otlp.attributes(reason) + event + otlp.failure(words)


@functools.lru_cache(maxsize=1_024)
def _of_process(exchange: str, routing_key: str, queue: str) -> bytes:
    """Where it came from; of the ladder's key its bits are left out, which would make a name of each message."""
    key = routing_key[max(0, routing_key.find("job.")) :]
    exchange = topology.DUE if exchange.startswith("delay.") else exchange
    return b"".join((
        otlp.attribute(names.SYSTEM, "rabbitmq"), otlp.attribute(names.OPERATION, "process"),
        otlp.attribute(names.OPERATION_TYPE, "process"), otlp.attribute(names.ROUTING_KEY, key),
        otlp.attribute(names.DESTINATION, f"{exchange}:{key}:{queue}"),
    ))  # fmt: skip


@functools.lru_cache(maxsize=1_024)
def _of_end(worker: str, priority: int, attempt: int, outcome: Outcome, state: State | None) -> bytes:
    return b"".join((
        otlp.attribute(names.WORKER, worker), otlp.attribute(names.PRIORITY, priority),
        otlp.attribute(names.ATTEMPT, attempt), otlp.attribute(names.OUTCOME, outcome.value),
        otlp.attribute(names.STATE, state.value) if state else b"",
    ))  # fmt: skip


@functools.lru_cache(maxsize=1_024)
def _of_queue(queue: str, job_type: str) -> bytes:
    return otlp.attribute(names.QUEUE, queue) + otlp.attribute(names.JOB_TYPE, job_type)


def _nanos(at: datetime) -> int:
    return int(at.timestamp() * 1e6) * 1_000
