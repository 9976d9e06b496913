"""What metrics and OpenTelemetry are told of a mail: what became of it, and how long that took.

Nothing of what is in it, and of nobody whom it is for.  One span a mail, below its job's attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Final

from actors.context import current
from actors.trades.mailing.failures import InDoubt, MailRefused, NotTaken, ServerAway
from wire.metrics import table
from wire.slices.mailing import Server
from wire.spans import here, names, otlp
from wire.spans.caller import carried
from wire.spans.otlp import Span
from wire.tracing import Trace

TAKEN, WRITTEN, BROKEN, STOPPED = "taken", "written", "broken", "stopped"
WHY_NOT: Final = ((MailRefused, "refused"), (NotTaken, "not_now"), (InDoubt, "in_doubt"), (ServerAway, "away"))


@contextlib.contextmanager
def telling(server: Server | None) -> Iterator[None]:
    """Around one mail."""
    began, started, outcome = time.time_ns(), time.monotonic(), BROKEN
    try:
        yield
        outcome = TAKEN if server else WRITTEN
    except asyncio.CancelledError:
        outcome = STOPPED
        raise
    except Exception as e:
        outcome = next((word for kind, word in WHY_NOT if isinstance(e, kind)), BROKEN)
        raise
    finally:
        table.MAILS.add(outcome)
        table.MAIL_SECONDS.observe(time.monotonic() - started)
        if here.spans is not None:
            _record(server, began, outcome)


def _record(server: Server | None, began: int, outcome: str) -> None:
    parent = _parent()
    if parent is None or not parent.recorded or here.spans is None:
        return
    place, failed = parent.child(), outcome not in (TAKEN, WRITTEN)
    said = otlp.attributes({
        names.SERVER: server.host if server else None, names.PORT: server.port if server else None,
        names.ERROR: outcome if failed else None,
    })  # fmt: skip
    rest = said + (otlp.failure(outcome) if failed else b"")
    ids = place.trace_id, place.span_id, parent.span_id
    kind, name = (otlp.CLIENT, "send mail") if server else (otlp.INTERNAL, "write mail")
    here.spans.put([Span(*ids, otlp.name_of(name), kind, began, time.time_ns(), rest, place.state)])


def _parent() -> Trace | None:
    """What is current where it is sent: a span that the actor has begun itself, or its attempt."""
    job = current.get(None)
    begun = Trace.of(carried())
    return begun or (job.trace if job is not None and job.trace.trace_id else None)
