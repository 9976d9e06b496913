"""A job's span as OpenTelemetry's current one: parent of what instrumented libraries record, and open to the actor.

It is made for every attempt and so does nothing by itself: what an actor sets on it (`get_current_span()`) is kept, and
becomes part of the span when the attempt is settled.  What cannot be said is left out: a span fails no job.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry import context as contexts
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context
from opentelemetry.trace.span import Span

from wire.masks import mask_text
from wire.spans import otlp

Place = tuple[str, str, str]  # the trace, the span, what others have said of it
SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
DROPPED: Final = TraceFlags(TraceFlags.DEFAULT)
MOST_SAID: Final = 128  # attributes and events that an actor may add; the specification's own bound


class JobSpan(Span):
    """Of one attempt; `said` is what the actor added, `failed` the words of a failure that it named itself."""

    __slots__ = ("_context", "_place", "failed", "said")

    def __init__(self, place: Place) -> None:
        self._place = place
        self._context: SpanContext | None = None
        self.said: list[bytes] | None = None
        self.failed: str | None = None

    def get_span_context(self) -> SpanContext:
        if self._context is None:  # most actors never ask
            self._context = _context_of(self._place, SAMPLED)
        return self._context

    def is_recording(self) -> bool:
        return True

    def set_attribute(self, key: str, value: Any) -> None:
        self._add(lambda: otlp.attribute(str(key), value if isinstance(value, otlp.Value) else str(value)))

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        self._add(lambda: _event(name, attributes or {}, timestamp))

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        self._add(lambda: otlp.link(f"{context.trace_id:032x}", f"{context.span_id:016x}"))

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        self._add(lambda: _event("exception", {**_told(exception), **(attributes or {})}, timestamp))

    def set_status(self, status: Any, description: str | None = None) -> None:
        code = getattr(status, "status_code", status)
        if getattr(code, "name", "") == "ERROR":
            self.failed = description or getattr(status, "description", None) or ""

    def update_name(self, name: str) -> None:
        """Nothing: the name is the type's, by which they are found."""

    def end(self, end_time: int | None = None) -> None:
        """Nothing: it ends with the attempt."""

    def _add(self, encoded: Callable[[], bytes]) -> None:
        if self.said is None:
            self.said = []
        if len(self.said) < MOST_SAID:
            with contextlib.suppress(Exception):  # a number beyond its bounds, an error without words
                self.said.append(encoded())


class UnrecordedSpan(NonRecordingSpan):
    """Of an attempt whose trace is not recorded: it says so to whoever asks."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def get_span_context(self) -> SpanContext:
        return _context_of(self._place, DROPPED)

    def __repr__(self) -> str:
        return f"UnrecordedSpan({self._place!r})"


def _context_of(place: Place, flags: TraceFlags) -> SpanContext:
    trace_id, span_id, state = place
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), False, flags, TraceState.from_header([state]) if state else None
    )


def _event(name: str, attributes: Mapping[str, Any], timestamp: float | None) -> bytes:
    plain = {str(k): v if isinstance(v, otlp.Value) else str(v) for k, v in attributes.items()}
    return otlp.event(str(name), int(timestamp or time.time_ns()), plain)


def _told(exception: BaseException) -> dict[str, str]:
    return {"exception.type": type(exception).__name__, "exception.message": mask_text(str(exception)[:2_000])}


def surround(trace_id: str, span_id: str, state: str, bag: str, *, sampled: bool) -> JobSpan | None:
    """Put the caller's context into this trace; the span to ask afterwards, if it is recorded."""
    place = (trace_id, span_id, state)
    span = JobSpan(place) if sampled else None
    around = _BAGGAGE.extract({"baggage": bag}, _EMPTY) if bag else _EMPTY
    # no token: the context is the job's
    contexts.attach(set_span_in_context(span or UnrecordedSpan(place), around))
    return span


_EMPTY: Final = contexts.Context()
_BAGGAGE: Final = W3CBaggagePropagator()
