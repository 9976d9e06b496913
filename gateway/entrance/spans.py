"""The span of a request: begun at the door, where its trace is that of the caller or begins; ended with its answer.

What a request submits is within its span.  Of the URL only its path is told, and nothing of what was sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from wire.spans import here, names, otlp
from wire.spans.otlp import Span
from wire.spans.recording import Recording
from wire.tracing import Trace

NO_ROUTE: Final = "unknown"
LOOKS: Final = ("/health", "/metrics")  # of machines, every few seconds


class Served(NamedTuple):
    """A request that is being answered."""

    recording: Recording
    place: Trace
    parent: str
    began: int

    def ended(self, request: web.Request, route: str, status: int) -> None:
        """It has its answer."""
        if not self.place.recorded:
            return
        place, failed = self.place, status >= 500
        method = request.method if request.method in hdrs.METH_ALL else "_OTHER"
        rest = b"".join((
            otlp.word(names.METHOD, method), otlp.word(names.ROUTE, route) if route != NO_ROUTE else b"",
            otlp.word(names.STATUS, status), otlp.word(names.SCHEME, request.scheme),
            otlp.attributes({
                names.PATH: request.path[:500], names.SERVER: request.host.partition(":")[0],
                names.CLIENT: request.remote,
                names.AGENT: request.headers.get(hdrs.USER_AGENT, "")[:200] or None,
                names.PROTOCOL_VERSION: f"{request.version.major}.{request.version.minor}",
            }),
            otlp.word(names.ERROR, str(status)) + otlp.failure(None) if failed else b"",
        ))  # fmt: skip
        name = otlp.name_of(method if route == NO_ROUTE else f"{method} {route}")
        self.recording.put([
            Span(place.trace_id, place.span_id, self.parent, name, otlp.SERVER, self.began, time.time_ns(), rest,
                 place.state)
        ])  # fmt: skip


SERVED: Final = web.RequestKey("served", Served)


def serve(request: web.Request) -> Served | None:
    """Begin the request's span, if spans are recorded and it is not the look of a health check."""
    served = None if request.path.startswith(LOOKS) else begun(request.headers)
    if served is not None:
        request[SERVED] = served
    return served


def begun(headers: Mapping[str, str]) -> Served | None:
    """The span that begins here, beneath what these headers name or as a root, if spans are recorded."""
    recording = here.spans
    if recording is None:
        return None
    found = Trace.of(headers)
    trace = Trace.entering(headers) if found else Trace.begin()
    return Served(recording, trace.child(), found.span_id if found else "", time.time_ns())


def trace_of(request: web.Request) -> Trace:
    """The trace of what this request submits."""
    served = request.get(SERVED)
    return served.place if served else Trace.entering(request.headers)


def traces_of(request: web.Request) -> Callable[[], Trace]:
    """What makes the traces of the many jobs that this request submits: each its own, which links to the request.

    Ten thousand jobs in one trace are a tree that nobody can look at: they join the caller's only where nobody will.
    """
    served = request.get(SERVED)
    if served and served.place.recorded:
        return partial(Trace.begin, served.place)
    if Trace.of(request.headers) is None:
        return Trace.begin
    found = Trace.entering(request.headers)
    return lambda: found


def anew_of(request: web.Request) -> Trace | None:
    """The trace of a job that this request sends once more, where spans are recorded; else it stays in its own."""
    served = request.get(SERVED)
    return served.place if served and served.place.recorded else None
