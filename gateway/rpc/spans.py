"""The span of a call: begun at the door, where its trace is that of the caller or begins; ended with its status."""

from __future__ import annotations

import time
from collections.abc import Mapping

from grpc import StatusCode

from gateway.entrance.spans import Served, begun
from wire.spans import names, otlp
from wire.spans.otlp import Span
from wire.tracing import Trace

OURS = (StatusCode.INTERNAL, StatusCode.UNAVAILABLE, StatusCode.UNKNOWN)  # the codes that say of us that we failed


def trace_of(served: Served | None, headers: Mapping[str, str]) -> Trace:
    """The trace of what this call submits."""
    return served.place if served else Trace.entering(headers)


def serve(headers: Mapping[str, str]) -> Served | None:
    return begun(headers)


def ended(served: Served, method: str, code: StatusCode, agent: str) -> None:
    """It has its answer, or its caller has gone."""
    place = served.place
    if not place.recorded:
        return
    failed = code in OURS
    rest = b"".join((
        otlp.word(names.RPC_SYSTEM, "grpc"), otlp.word(names.RPC_METHOD, method),
        otlp.word(names.RPC_STATUS, code.name), otlp.attributes({names.AGENT: agent[:200] or None}),
        otlp.word(names.ERROR, code.name) + otlp.failure(None) if failed else b"",
    ))  # fmt: skip
    served.recording.put([
        Span(place.trace_id, place.span_id, served.parent, otlp.name_of(method), otlp.SERVER, served.began,
             time.time_ns(), rest, place.state)
    ])  # fmt: skip
