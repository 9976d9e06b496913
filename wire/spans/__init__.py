"""Spans: what a process tells OpenTelemetry of the jobs that pass through it.

`here.spans` is None until `setup.begin` finds an exporter in the `OTEL_*` variables, so that a process without one asks
once a batch and loads nothing.  A span of ours is a small struct that becomes OTLP's bytes by hand (otlp.py): the
library's own take 20 µs to make and 38 to encode, which at three a job is what the rest of the job costs.  What people
record themselves inside an actor are the library's spans, children of ours, and leave by the same exporter.

`opentelemetry` is imported in this folder only.  Payloads are never told.
"""
