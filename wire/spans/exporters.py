"""The exporters that `OTEL_TRACES_EXPORTER` names, fed with our own encoding.

Where to, with which headers, certificates, compression and deadline, and when to try again: all of that is the
library's, read from the standard variables.  Only the step from spans to bytes is ours; spans that people record
themselves are encoded by the library, and the two are joined, as serialised messages of protobuf can be.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from wire.spans import otlp
from wire.spans.otlp import Span

log = structlog.get_logger()

GRPC_PORT: Final = 4317
KNOWN: Final = ("otlp", "none")


def exporter_of(resource: Resource) -> SpanExporter:
    """The OTLP exporter that the variables describe."""
    encode = Encoding(resource)
    return _grpc(encode) if protocol(os.environ) == "grpc" else _http(encode)


def protocol(environment: Mapping[str, str]) -> str:
    """grpc or http/protobuf; where nobody says which, the port that gRPC has by custom does."""
    said = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if said:
        return "grpc" if said.strip().lower() == "grpc" else "http/protobuf"
    endpoint = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return "grpc" if endpoint and urlsplit(endpoint).port == GRPC_PORT else "http/protobuf"


class Encoding:
    """From spans of both kinds to the bytes of one request."""

    def __init__(self, resource: Resource) -> None:
        self._resource = otlp.resource_of(resource.attributes)

    def __call__(self, spans: Sequence[Any]) -> bytes:
        ours = [said for span in spans if isinstance(span, Span) and (said := _encoded(span))]
        told = otlp.request(self._resource, ours) if ours else b""
        theirs = [span for span in spans if isinstance(span, ReadableSpan)]
        return told + (encode_spans(theirs).SerializeToString() if theirs else b"")


def _encoded(span: Span) -> bytes:
    """Nothing of one that cannot be said (a time before 1970): it takes no other with it."""
    try:
        return span.encoded()
    except (ValueError, struct.error, OverflowError) as e:
        log.warning("span_not_encoded", name=span.name, error=str(e))
        return b""


def _http(encode: Encoding) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - one of two

    class Http(OTLPSpanExporter):
        def export(self, spans: Sequence[Any]) -> SpanExportResult:
            return SpanExportResult.SUCCESS if self._client.export(encode(spans)).success else SpanExportResult.FAILURE

    return Http()


def _grpc(encode: Encoding) -> SpanExporter:
    # gRPC's threads would wake in a child that an actor forks, and end it before it becomes another program
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - grpc is large
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415

    class Grpc(OTLPSpanExporter):
        def _translate_data(self, data: Sequence[Any]) -> ExportTraceServiceRequest:
            request: ExportTraceServiceRequest = ExportTraceServiceRequest.FromString(encode(data))
            return request

    return Grpc()
