"""Which trace a job belongs to: W3C trace context in and out of headers.

Every job has a trace from the moment it is accepted, so that `trace_id` can be stored and shown even where no collector
runs.  A header that is not valid W3C is ignored, never an error: a trace must not cost a job.

A trace that begins here has a root whose id is the first half of the trace's own.  So whoever comes to it first, in
whichever process, knows that nobody else has recorded that root, and under which id to do it.  Not the second half: of
that Brave, Zipkin and Datadog make their roots, and such a caller's span is no root of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from wire.randomness import random_bytes
from wire.spans import here
from wire.spans.recording import fresh_span_id

TRACEPARENT, TRACESTATE, BAGGAGE = "traceparent", "tracestate", "baggage"
MOST_BAGGAGE: Final = 2_048  # characters; it is in a row and in each message
MOST_STATE: Final = 512  # characters
RECORDED: Final = "01"
UNRECORDED: Final = "00"
WRITTEN: Final = 55  # characters of a parent as we write it

_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
)


class Trace(msgspec.Struct, frozen=True):
    """One place in a trace: whoever is handed it becomes the child of `span_id`."""

    trace_id: str
    span_id: str
    flags: str = "01"
    state: str = ""
    baggage: str = ""
    origin: Trace | None = None  # of one that begins here: what it links to; goes no further than this process

    @classmethod
    def begin(cls, origin: Trace | None = None) -> Trace:
        """A trace of its own; recorded if this process records any, and this one."""
        trace_id, spans = random_bytes().hex(), here.spans
        kept = spans is not None and spans.keeps(trace_id)
        return cls(trace_id, trace_id[:16], _flags(kept), origin=origin)

    @classmethod
    def entering(cls, headers: Mapping[str, object]) -> Trace:
        """The trace that somebody brings to a door, or a new one."""
        found, spans = cls.of(headers), here.spans
        if found is None:
            return cls.begin()
        if spans is None:
            return found
        kept = spans.follows(found.trace_id, found.span_id, found.recorded)
        return found if kept is found.recorded else replace(found, flags=_flags(kept))

    @classmethod
    def of(cls, headers: Mapping[str, object]) -> Trace | None:
        """The trace these headers name, if they name one."""
        match = _PARENT.fullmatch(_text(headers.get(TRACEPARENT)))
        if not match:
            return None
        trace_id, span_id, flags = match.groups()
        if TRACESTATE not in headers and BAGGAGE not in headers:  # most; this is asked for every job
            return cls(trace_id, span_id, flags)
        state, baggage = _text(headers.get(TRACESTATE)), _text(headers.get(BAGGAGE))
        if len(state) > MOST_STATE:
            state = state[: MOST_STATE + 1].rpartition(",")[0]  # whole entries, as W3C has it
        kept = baggage if len(baggage) <= MOST_BAGGAGE else ""  # half of it would be something else
        return cls(trace_id, span_id, flags, state, kept)

    @classmethod
    def kept(cls, parent: str, stored: str) -> Trace:
        """The trace of a row, which was judged when it was written; a row without one begins one here."""
        if len(parent) != WRITTEN:
            return cls.begin()
        if not stored:
            return cls(parent[3:35], parent[36:52], parent[53:])
        state, _, baggage = stored.partition("\n")
        return cls(parent[3:35], parent[36:52], parent[53:], state, baggage)

    @property
    def recorded(self) -> bool:
        """Whether spans are made of it."""
        return self.flags[-1] in "13579bdf"

    @property
    def begun(self) -> bool:
        """Whether it began here, and its root is a job's and no request's."""
        return self.trace_id.startswith(self.span_id)

    def child(self, span_id: str | None = None) -> Trace:
        """The place of a span within it."""
        return Trace(self.trace_id, span_id or fresh_span_id(), self.flags, self.state, self.baggage)

    @property
    def parent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    @property
    def stored(self) -> str:
        """What a row keeps beside the parent, in its column `tracestate`: what others have said, and the baggage."""
        return f"{self.state}\n{self.baggage}" if self.baggage else self.state

    def headers(self) -> dict[str, str]:
        """What a message carries of it."""
        if not self.trace_id:
            return {}
        headers = {TRACEPARENT: self.parent}
        if self.state:
            headers[TRACESTATE] = self.state
        if self.baggage:
            headers[BAGGAGE] = self.baggage
        return headers


NOWHERE: Final = Trace("", "", UNRECORDED)  # of a message that says nothing of it: its job's row knows


def _flags(recorded: bool) -> str:
    return RECORDED if recorded else UNRECORDED


def _text(value: object) -> str:
    """Printable ASCII, which is all that W3C allows; anything else might be what Postgres cannot store."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text if isinstance(text, str) and text.isascii() and text.isprintable() else ""
