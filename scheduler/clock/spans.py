"""The root of a run's trace: a span `schedule <type>`, from its moment until its job is in Postgres.

The job's `publish` hangs beneath it, and all that becomes of the job.  How late a run was is the length of the span;
that of one that is caught up is no longer than the statement that made it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

from persistence.schedules.fire import Turn
from persistence.schedules.schedule import Kind
from wire.spans import here, names, otlp
from wire.spans.otlp import Span
from wire.spans.recording import fresh_span_id
from wire.tracing import Trace


def begin() -> Trace:
    """The place that a run's job is given, in a trace of its own."""
    trace = Trace.begin()
    return trace.child(fresh_span_id()) if trace.recorded else trace  # the trace's own root would be the `publish`


def record(turns: Iterable[Turn], began: int) -> None:
    """The jobs of these have been made, by a statement that began then (nanoseconds since 1970)."""
    if here.spans is not None:
        ended = time.time_ns()
        here.spans.put([_span(turn, turn.job.trace, began, ended) for turn in turns if turn.job and _recorded(turn)])


def _recorded(turn: Turn) -> bool:
    return turn.job is not None and turn.job.trace.recorded


def _span(turn: Turn, place: Trace, began: int, ended: int) -> Span:
    if turn.kind is Kind.DUE and turn.fires_at:
        began = min(began, int(turn.fires_at.timestamp() * 1e9))
    said = otlp.word(names.JOB_TYPE, turn.schedule.plan.job_type) + otlp.attributes({
        names.SCHEDULE: str(turn.schedule.id), names.KIND: turn.kind.value, names.DUE: _written(turn.due_at),
        names.JOB_ID: str(turn.job.id) if turn.job else None,
    })  # fmt: skip
    name = otlp.name_of(f"schedule {turn.schedule.plan.job_type}")
    return Span(place.trace_id, place.span_id, "", name, otlp.INTERNAL, began, ended, said, place.state)


def _written(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
