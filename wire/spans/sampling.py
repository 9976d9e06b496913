"""Which traces are recorded: `OTEL_TRACES_SAMPLER` decides at a door, for all that follows.

By default a trace that somebody else began is recorded if they record it, and of those that begin here all, or with
`OTEL_TRACES_SAMPLER_ARG` that part.  Behind the door only the flag of a trace is asked.
"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context


class Sampling:
    """The library's sampler, asked with our traces."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def keeps(self, trace_id: str) -> bool:
        """Whether to record a trace that begins here; the same answer each time."""
        return self._sampler.should_sample(None, int(trace_id, 16), "job").decision is Decision.RECORD_AND_SAMPLE

    def follows(self, trace_id: str, span_id: str, recorded: bool) -> bool:
        """Whether to record a trace that came in with this parent, which recorded it or did not."""
        flags = TraceFlags(TraceFlags.SAMPLED if recorded else TraceFlags.DEFAULT)
        parent = NonRecordingSpan(SpanContext(int(trace_id, 16), int(span_id, 16), True, flags))
        context = set_span_in_context(parent, Context())
        return self._sampler.should_sample(context, int(trace_id, 16), "job").decision is Decision.RECORD_AND_SAMPLE
