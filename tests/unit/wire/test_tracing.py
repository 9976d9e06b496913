"""A trace is carried on when it is one, and never costs a job when it is not."""

from __future__ import annotations

import pytest

from wire.tracing import Trace

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_trace_goes_through_headers_unchanged() -> None:
    headers = {"traceparent": PARENT, "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}
    trace = Trace.of(headers)

    assert trace is not None
    assert headers == trace.headers()
    assert ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "01") == (
        trace.trace_id,
        trace.span_id,
        trace.flags,
    )


def test_an_unsampled_trace_stays_unsampled() -> None:
    trace = Trace.of({"traceparent": PARENT[:-2] + "00"})

    assert trace is not None
    assert trace.parent.endswith("-00")


def test_a_header_may_be_bytes() -> None:
    """
    Some AMQP clients write every string as bytes.
    """
    trace = Trace.of({"traceparent": PARENT.encode(), "tracestate": b"a=b"})

    assert trace is not None
    assert (PARENT, "a=b") == (trace.parent, trace.state)


def test_a_later_version_is_read_as_ours() -> None:
    assert Trace.of({"traceparent": "01" + PARENT[2:]}) == Trace.of({"traceparent": PARENT})


@pytest.mark.parametrize(
    "parent",
    [
        None, "", 7, [], {}, b"\xff", "traceparent", PARENT[:-1], PARENT + "0", PARENT.upper(), PARENT + "-extra",
        PARENT + "\n", " " + PARENT, "ff" + PARENT[2:], PARENT.replace("-", "_"), PARENT[:3] + "0" * 32 + PARENT[35:],
        PARENT[:36] + "0" * 16 + "-01", PARENT.replace("0af", "0ag"), PARENT[:-2] + "zz", "\x00" * 55,
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_trace_is_ignored(parent: object) -> None:
    assert None is Trace.of({"traceparent": parent})


@pytest.mark.parametrize("state", [None, 7, "a=\x00", "a=é", "a=\n", b"\xff", "\ud800"], ids=repr)
def test_a_state_that_cannot_be_stored_is_left_behind(state: object) -> None:
    trace = Trace.of({"traceparent": PARENT, "tracestate": state})

    assert trace is not None
    assert {"traceparent": PARENT} == trace.headers()


def test_a_state_is_bounded() -> None:
    """Only whole entries are kept: half of one would be something else."""
    trace = Trace.of({"traceparent": PARENT, "tracestate": ",".join(f"vendor{n}=12345" for n in range(100))})

    assert trace is not None
    assert 490 < len(trace.state) <= 512
    assert {"12345"} == {entry.partition("=")[2] for entry in trace.state.split(",")}


def test_a_new_trace_is_one_that_others_take() -> None:
    begun = Trace.begin()

    assert begun == Trace.of(begun.headers())
    assert begun.trace_id != Trace.begin().trace_id


def test_a_caller_whose_root_has_the_end_of_its_trace_s_id_is_no_root_of_ours() -> None:
    """Brave, Zipkin and Datadog name their roots so: a span of ours under that id would be theirs a second time."""
    theirs = Trace.of({"traceparent": "00-64f1a2b3000000005b8efff798038103-5b8efff798038103-01"})

    assert theirs is not None
    assert (False, True) == (theirs.begun, Trace.begin().begun)


@pytest.mark.parametrize("state", ["", "vendor=1"])
def test_a_row_s_trace_is_the_one_that_was_written(state: str) -> None:
    written = Trace("a" * 32, "b" * 16, "00", state)

    assert written == Trace.kept(written.parent, state) == Trace.of(written.headers())


@pytest.mark.parametrize("parent", ["", "nonsense", "00-" + "a" * 32])
def test_a_row_without_a_trace_begins_one(parent: str) -> None:
    begun = Trace.kept(parent, "")

    assert begun == Trace.of(begun.headers())
