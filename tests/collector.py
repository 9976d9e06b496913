"""A collector of OpenTelemetry's: takes OTLP over gRPC and over HTTP, and reads it with the protocol's own classes."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # its threads would wake in the children that tests start
import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


@dataclass(frozen=True)
class Seen:
    """A span as it arrived."""

    service: str
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    began: int
    ended: int
    attributes: dict[str, Any]
    links: tuple[tuple[str, str], ...]  # trace and span
    events: tuple[tuple[str, dict[str, Any]], ...]
    failed: str | None  # the words of its failure
    resource: dict[str, Any] = field(hash=False, compare=False)
    state: str = ""

    @property
    def job_id(self) -> str:
        return str(self.attributes.get("warren.job.id", ""))


class Collector:
    """What has arrived, by both ways."""

    def __init__(self) -> None:
        self.spans: list[Seen] = []
        self.http_url = self.grpc_url = ""
        self.requests: list[str] = []

    def take(self, request: trace_service_pb2.ExportTraceServiceRequest, way: str) -> None:
        self.requests.append(way)
        for block in request.resource_spans:
            resource = _said(block.resource.attributes)
            self.spans += [_seen(span, resource) for scope in block.scope_spans for span in scope.spans]

    def of_trace(self, trace_id: str) -> list[Seen]:
        """In the order of time."""
        return sorted((span for span in self.spans if span.trace_id == trace_id), key=lambda span: span.began)

    def orphans(self, foreign: frozenset[str] = frozenset()) -> list[Seen]:
        """Whose parent nobody has sent, and is not a stranger's."""
        known = {span.span_id for span in self.spans} | foreign | {""}
        return [span for span in self.spans if span.parent_id not in known]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on two ports of its own."""
    collector = Collector()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(collector))
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    calls = grpc.server(ThreadPoolExecutor(4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Service(collector), calls)
    port = calls.add_insecure_port("127.0.0.1:0")
    calls.start()
    collector.http_url = f"http://127.0.0.1:{http.server_port}"
    collector.grpc_url = f"http://127.0.0.1:{port}"
    try:
        yield collector
    finally:
        calls.stop(0).wait()
        http.shutdown()
        http.server_close()
        thread.join()


class _Service(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        self._collector.take(request, "grpc")
        return trace_service_pb2.ExportTraceServiceResponse()


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.take(trace_service_pb2.ExportTraceServiceRequest.FromString(body), f"http {self.path}")
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _seen(span: Any, resource: dict[str, Any]) -> Seen:
    return Seen(
        service=str(resource.get("service.name")),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name,
        kind=KINDS[span.kind],
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        attributes=_said(span.attributes),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        events=tuple((event.name, _said(event.attributes)) for event in span.events),
        failed=span.status.message if span.status.code == 2 else None,
        resource=resource,
        state=span.trace_state,
    )


def _said(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
