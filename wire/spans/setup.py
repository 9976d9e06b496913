"""Begin and end the recording of spans in a process, as the standard `OTEL_*` variables say.

Off without an exporter: neither `OTEL_TRACES_EXPORTER` nor an `OTEL_EXPORTER_OTLP_*ENDPOINT` is set, or
`OTEL_SDK_DISABLED` is true.  Then nothing of the library is loaded.  The variables are the library's, not settings of
ours, and what is wrong with them never stops a process: it says so and records nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from wire.spans import here
from wire.spans.recording import Recording
from wire.version import VERSION

log = structlog.get_logger()

MOST: Final = 32_768  # spans that wait for the collector: seconds of a busy worker, some 20 MB
PIECE: Final = 2_048
SECONDS: Final = 1.0
TELL_SECONDS: Final = 60.0
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether there is somewhere to send spans to."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    said = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    return said != "none" and bool(said or any(environment.get(name) for name in ENDPOINTS))


class Spans:
    """The recording as a service: first to start and last to stop, for the others' last spans."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._end: Callable[[], None] | None = None

    async def start(self) -> None:
        if wanted(os.environ):
            try:
                self._end = await asyncio.to_thread(_begin, self._role)
            except Exception as e:  # noqa: BLE001 - a collector's address must not cost a job
                log.error("spans_off", error=str(e))

    async def stop(self) -> None:
        """Send what is left; a second time is fine."""
        here.spans, end, self._end = None, self._end, None
        if end:
            await asyncio.to_thread(end)


def _begin(role: str) -> Callable[[], None]:
    """Load the library, begin to record; what ends it."""
    from opentelemetry import trace  # noqa: PLC0415 - a process that records nothing loads nothing
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415

    from wire.spans.current import surround  # noqa: PLC0415
    from wire.spans.exporters import KNOWN, exporter_of  # noqa: PLC0415
    from wire.spans.exporting import Exporting  # noqa: PLC0415
    from wire.spans.sampling import Sampling  # noqa: PLC0415

    logging.getLogger("opentelemetry").addFilter(seldom())
    for name in ("grpc.exporter", "http.trace_exporter"):
        logging.getLogger(f"opentelemetry.exporter.otlp.proto.{name}").addFilter(seldom())
    named = os.environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    if named not in KNOWN:
        raise ValueError(f"OTEL_TRACES_EXPORTER is {named!r}; known: {', '.join(KNOWN)}")
    resource = Resource.create(_described(role, os.environ))
    exporter = exporter_of(resource)
    exporting = Exporting(
        lambda spans: exporter.export(spans) is SpanExportResult.SUCCESS, exporter.shutdown,
        most=_number("OTEL_BSP_MAX_QUEUE_SIZE", MOST), piece=_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", PIECE),
        seconds=_number("OTEL_BSP_SCHEDULE_DELAY", int(SECONDS * 1000)) / 1000,
    )  # fmt: skip
    provider = TracerProvider(_sampler(os.environ), resource, shutdown_on_exit=False)
    provider.add_span_processor(exporting)
    trace.set_tracer_provider(provider)
    sampling = Sampling(provider.sampler)
    here.spans = Recording(exporting.put, keeps=sampling.keeps, follows=sampling.follows, surround=surround)
    return provider.shutdown


def _sampler(environment: Mapping[str, str]) -> Any:
    """Ours by default: of what begins here a part, which is all where none is named; None lets the library choose."""
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio  # noqa: PLC0415

    if environment.get("OTEL_TRACES_SAMPLER"):
        return None
    try:
        return ParentBasedTraceIdRatio(float(environment.get("OTEL_TRACES_SAMPLER_ARG", "") or 1.0))
    except ValueError as e:
        raise ValueError(f"OTEL_TRACES_SAMPLER_ARG must be from 0 to 1: {e}") from e


def _described(role: str, environment: Mapping[str, str]) -> dict[str, str | int]:
    """What tells this process from others; the person's own variables go before it."""
    said = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    named = environment.get("OTEL_SERVICE_NAME") or "service.name=" in said
    name: dict[str, str | int] = {} if named else {"service.name": f"warren-{role}"}
    host = socket.gethostname()
    told: dict[str, str | int] = {
        "service.version": VERSION, "service.instance.id": f"{host}:{os.getpid()}", "host.name": host,
        "process.pid": os.getpid(),
    }  # fmt: skip
    return name | {key: value for key, value in told.items() if f"{key}=" not in said}


def seldom(clock: Callable[[], float] = time.monotonic) -> Callable[[logging.LogRecord], bool]:
    """A filter that lets one line a minute through: the library has one for each try, while a collector is away."""
    last = -TELL_SECONDS

    def lets_through(_: logging.LogRecord) -> bool:
        nonlocal last
        due = clock() - last >= TELL_SECONDS
        last = clock() if due else last
        return due

    return lets_through


def _number(name: str, otherwise: int) -> int:
    try:
        return max(1, int(os.environ.get(name, "") or otherwise))
    except ValueError:
        log.warning("not_a_number", setting=name, taken=otherwise)
        return otherwise
