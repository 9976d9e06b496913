"""What metrics and OpenTelemetry are told of a request: one span a hop, below the job's attempt.

A URL is told without its query, which is where keys are; what was sent and answered is not told.  Our trace goes along
only to targets that the allow-list names: to anybody else it says nothing, and it could be followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from actors.context import current
from actors.trades.outbound.answer import Answer
from actors.trades.outbound.failures import Forbidden, TooLarge, TooSlow, Unreachable
from actors.trades.outbound.request import Request
from wire.metrics import table
from wire.spans import here, names, otlp
from wire.spans.caller import carried
from wire.spans.otlp import Span
from wire.spans.recording import Recording
from wire.tracing import Trace

WHY_NONE: Final = {
    Forbidden: "forbidden", TooLarge: "too_large", Unreachable: "unreachable", TooSlow: "too_slow",
}  # fmt: skip
STOPPED: Final = "stopped"  # its job was


@dataclass(slots=True)
class Hop:
    """One request, while it is under way."""

    asked: Request
    number: int  # of redirects before it
    parent: Trace | None
    place: Trace | None
    answer: Answer | None = None

    def tell(self, recording: Recording, began: int, why: str) -> None:
        """Record its span."""
        parent, place, to, answer = self.parent, self.place, self.asked.target, self.answer
        if parent is None or place is None or not parent.recorded:
            return
        status = answer.status if answer else None
        error = why or (str(status) if status and status >= 400 else None)
        said = otlp.attributes({
            names.METHOD: self.asked.method, names.SERVER: to.host, names.PORT: to.port, names.SCHEME: to.scheme,
            names.FULL: str(to.url.copy_with(query=None)), names.RESENT: self.number or None, names.STATUS: status,
            names.PROTOCOL_VERSION: answer.version if answer else None,
            names.ANSWER_SIZE: answer.wired_bytes if answer else None, names.ERROR: error,
        })  # fmt: skip
        rest = said + (otlp.failure(why or None) if error else b"")
        ids = place.trace_id, place.span_id, parent.span_id
        name = otlp.name_of(self.asked.method)
        recording.put([Span(*ids, name, otlp.CLIENT, began, time.time_ns(), rest, place.state)])


@contextlib.asynccontextmanager
async def telling(asked: Request, number: int, ends: float) -> AsyncIterator[Hop]:
    """Around one request, whose time ends then; the caller puts in the answer, if there is one."""
    parent = _parent()
    hop = Hop(asked, number, parent, parent.child() if parent else None)
    began, started, why = time.time_ns(), time.monotonic(), ""
    try:
        yield hop
    except tuple(WHY_NONE) as e:
        why = WHY_NONE[type(e)]
        raise
    except asyncio.CancelledError:
        why = WHY_NONE[TooSlow] if time.monotonic() >= ends else STOPPED
        raise
    finally:
        answer = hop.answer
        table.OUTBOUND.add(why or (f"{answer.status // 100}xx" if answer else "broken"))
        table.OUTBOUND_SECONDS.observe(time.monotonic() - started)
        table.OUTBOUND_BYTES.add(by=answer.wired_bytes if answer else 0)
        if here.spans is not None:
            hop.tell(here.spans, began, why)


def trace_headers(place: Trace | None) -> dict[str, str]:
    """For a target that may know."""
    return place.headers() if place else {}


def _parent() -> Trace | None:
    """What is current where the request is made: a span that the actor has begun itself, or its attempt."""
    job = current.get(None)
    begun = Trace.of(carried()) if here.spans is not None else None
    return begun or (job.trace if job is not None and job.trace.trace_id else None)
