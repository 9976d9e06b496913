"""Spans are the bytes that OpenTelemetry reads, are sampled at the door, and cost nothing where none are wanted."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBasedTraceIdRatio, TraceIdRatioBased
from opentelemetry.semconv import attributes as stable
from opentelemetry.semconv._incubating import attributes as incubating
from opentelemetry.trace import SpanContext

from wire.spans import here, names, otlp
from wire.spans.caller import carried, publishing
from wire.spans.current import JobSpan
from wire.spans.exporters import Encoding, protocol
from wire.spans.exporting import Exporting
from wire.spans.otlp import Span
from wire.spans.recording import Recording
from wire.spans.sampling import Sampling
from wire.spans.setup import wanted
from wire.tracing import Trace

ROOT = Path(__file__).parents[3]
TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
VALUES = {"text": "wörter", "empty": "", "long": "x" * 70_000, "yes": True, "no": False, "small": 3, "big": 2**62,
          "less": -1, "part": 0.25}  # fmt: skip


def span(rest: bytes = b"", **others: Any) -> Span:
    said = {"trace_id": TRACE, "span_id": SPAN, "parent_id": PARENT, "name": otlp.name_of("process echo"),
            "kind": otlp.CONSUMER, "began": 1_800_000_000_123_456_789, "ended": 1_800_000_001_000_000_000}  # fmt: skip
    return Span(**{**said, "rest": rest, **others})


def read(*spans: Any) -> list[Any]:
    """The spans as the protocol's own classes read them."""
    request = ExportTraceServiceRequest.FromString(Encoding(Resource({"service.name": "warren-test"}))(spans))
    assert {"warren-test"} == {
        pair.value.string_value for block in request.resource_spans for pair in block.resource.attributes
    }
    return [one for block in request.resource_spans for scope in block.scope_spans for one in scope.spans]


def values(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def test_a_span_is_read_as_it_was_written() -> None:
    (one,) = read(span(state="a=1"))

    assert (TRACE, SPAN, PARENT, "a=1") == (
        one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex(), one.trace_state,
    )  # fmt: skip
    assert ("process echo", 5, 1_800_000_000_123_456_789, 1_800_000_001_000_000_000) == (
        one.name, one.kind, one.start_time_unix_nano, one.end_time_unix_nano,
    )  # fmt: skip
    assert (0x301, 0) == (one.flags, one.status.code)


def test_a_root_has_no_parent() -> None:
    (one,) = read(span(parent_id=""))

    assert b"" == one.parent_span_id


def test_attributes_of_every_kind_are_read_as_they_were_written() -> None:
    (one,) = read(span(otlp.attributes(VALUES) + otlp.attributes({"nothing": None})))

    assert VALUES == values(one.attributes)


def test_what_no_text_can_be_is_replaced() -> None:
    (one,) = read(span(otlp.attribute("bad", "\ud800")))

    assert {"bad": "?"} == values(one.attributes)


def test_ids_are_read_as_they_were_written() -> None:
    job_id = "01a1fd7a-f8ca-7de8-99fc-3061fd5cc1c0"
    (one,) = read(span(otlp.text(otlp.key_of(names.JOB_ID), job_id.encode())))

    assert {names.JOB_ID: job_id} == values(one.attributes)


def test_links_events_and_failures_are_read_as_they_were_written() -> None:
    event = otlp.event("exception", 17, {"exception.type": "Oops", "nothing": None})
    (one,) = read(span(otlp.link(TRACE, PARENT) * 3 + event + otlp.failure("wörter")))

    assert [(TRACE, PARENT)] * 3 == [(link.trace_id.hex(), link.span_id.hex()) for link in one.links]
    assert [("exception", 17, {"exception.type": "Oops"})] == [
        (e.name, e.time_unix_nano, values(e.attributes)) for e in one.events
    ]
    assert (2, "wörter") == (one.status.code, one.status.message)


def test_a_span_that_cannot_be_said_takes_no_other_with_it() -> None:
    good = span(otlp.attribute("place", "here"))

    assert 2 == len(read(good, structs.replace(good, began=-1), good))


def test_what_an_actor_cannot_say_on_its_span_fails_nobody() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    current = JobSpan(SpanContext(1, 1, is_remote=False))
    current.add_event("early", timestamp=-1)
    current.record_exception(Mute())
    current.set_attribute("beyond", 2**70)
    current.add_event("half", timestamp=1.5)  # type: ignore[arg-type] - as people do
    (told,) = read(span(b"".join(current.said or ())))

    assert ["half"] == [event.name for event in told.events]


def test_spans_that_people_record_leave_in_the_same_request() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "warren-test"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with provider.get_tracer("shop").start_as_current_span("GET"):
        pass

    assert ["process echo", "GET"] == [one.name for one in read(span(), *kept.get_finished_spans())]


def test_names_are_the_conventions() -> None:
    """
    What is not the conventions' own is named as ours.
    """
    known = {
        value
        for package in (stable, incubating)
        for path in Path(next(iter(package.__path__))).glob("*_attributes.py")
        for value in path.read_text().split('"')[1::2]
    }
    ours = {value for name, value in vars(names).items() if name.isupper()}

    assert {name for name in ours if name.startswith("warren.")} == ours - known


@pytest.mark.parametrize(
    ("environment", "on"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://a"}, False),
        ({"OTEL_SERVICE_NAME": "a"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a"}, True),
    ],
    ids=str,
)
def test_spans_are_wanted_where_there_is_somewhere_to_send_them(environment: dict[str, str], on: bool) -> None:
    assert on is wanted(environment)


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4317"}, "grpc"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318"}, "http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
         "http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, "grpc"),
        ({}, "http/protobuf"),
    ],
    ids=str,
)  # fmt: skip
def test_the_protocol_is_the_one_that_is_named_or_the_port_s(environment: dict[str, str], way: str) -> None:
    assert way == protocol(environment)


def test_a_part_of_what_begins_here_is_kept_and_of_what_others_began_what_they_keep() -> None:
    sampling = Sampling(ParentBasedTraceIdRatio(0.25))
    kept = sum(sampling.keeps(f"{number * 2**54:032x}") for number in range(1_000))

    assert 230 < kept < 270
    assert (True, False) == (sampling.follows("f" * 32, SPAN, True), sampling.follows("1".zfill(32), SPAN, False))


def test_a_sampler_that_asks_no_parent_decides_itself() -> None:
    never = "f" * 32

    assert (True, False) == (
        Sampling(ALWAYS_ON).follows(never, SPAN, False),
        Sampling(TraceIdRatioBased(0.5)).follows(never, SPAN, True),
    )


@pytest.fixture
def recording() -> Iterator[list[Span]]:
    put = list[Span]()
    here.spans = Recording(put.extend, keeps=lambda _: True, follows=lambda *_: False, surround=lambda *_, **__: None)
    yield put
    here.spans = None


def test_a_trace_that_begins_says_whether_it_is_recorded(recording: list[Span]) -> None:
    begun = Trace.begin()
    here.spans = None

    assert (True, True, False) == (begun.recorded, begun.begun, Trace.begin().recorded)


def test_a_door_may_decide_otherwise_than_the_caller(recording: list[Span]) -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1", "baggage": "user=7"}

    assert {**headers, "traceparent": f"00-{TRACE}-{SPAN}-00"} == Trace.entering(headers).headers()


def test_a_row_keeps_the_baggage_too() -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1", "baggage": "user=7"}
    trace = Trace.of(headers)

    assert trace is not None
    assert headers == Trace.kept(trace.parent, trace.stored).headers()
    assert headers == {**trace.child(SPAN).headers()}


def test_too_much_baggage_is_left_behind_whole() -> None:
    trace = Trace.of({"traceparent": f"00-{TRACE}-{SPAN}-01", "baggage": "a=" + "b" * 2_047})

    assert trace is not None
    assert ["traceparent"] == list(trace.headers())


def test_what_finds_no_room_is_dropped_and_the_rest_is_sent() -> None:
    """
    The collector is slow: what came first is sent first, and nobody waits.
    """
    sent, gate, begun = list[int](), threading.Event(), threading.Event()

    def export(spans: Sequence[Any]) -> bool:
        begun.set()
        gate.wait(30)
        sent.extend(spans)
        return True

    exporting = Exporting(export, lambda: None, most=4, piece=2, seconds=60)
    exporting.put([1, 2])
    begun.wait(30)
    exporting.put([3, 4, 5, 6, 7, 8])
    gate.set()
    exporting.shutdown()

    assert [1, 2, 3, 4, 5, 6] == sent


def test_an_exporter_that_raises_loses_its_spans_and_no_others() -> None:
    sent = list[int]()

    def export(spans: Sequence[Any]) -> bool:
        if 1 in spans:
            raise ConnectionError("the collector is away")
        sent.extend(spans)
        return True

    exporting = Exporting(export, lambda: None, most=100, piece=1, seconds=60)
    exporting.put([1, 2, 3])
    exporting.shutdown()
    exporting.shutdown()

    assert [2, 3] == sent


def test_a_process_without_a_collector_loads_nothing_of_it() -> None:
    modules = "actors.attempts.settle, actors.lane.lane, gateway.app, gateway.client, scheduler.__main__, warren"
    code = f"import sys, {modules}; print([name for name in sys.modules if name.startswith(('opentelemetry', 'grpc'))])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


def test_a_program_that_sends_hands_on_the_trace_that_it_is_in() -> None:
    provider = TracerProvider()
    with provider.get_tracer("shop").start_as_current_span("checkout") as checkout:
        headers = carried()
    told, brought = checkout.get_span_context(), Trace.of(headers)

    assert brought is not None
    assert (f"{told.trace_id:032x}", f"{told.span_id:016x}", True) == (
        brought.trace_id,
        brought.span_id,
        brought.recorded,
    )


def test_a_program_that_is_in_no_trace_makes_none_up() -> None:
    with publishing("echo", uuid4()) as headers:
        assert {} == headers
