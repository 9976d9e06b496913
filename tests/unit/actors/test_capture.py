"""A line is kept with the job in whose context it was written, whatever is in it; it never fails the job."""

from __future__ import annotations

import contextvars
import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog

from actors.attempts import capture
from actors.context import Context, current
from actors.lines import unwritten
from wire.slices import Logs
from wire.tracing import Trace

standard = logging.getLogger("test.capture")


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a worker's log says."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    noisy = {name: logging.getLogger(name).level for name in ("pika", "dramatiq", "alembic", "asyncio")}
    root.handlers[:] = []
    capture.configure("worker", Logs(log_format="json"))  # type: ignore[call-arg]
    capture.install()
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = before, level
    for name, was in noisy.items():
        logging.getLogger(name).setLevel(was)
    unwritten.take()


def a_job() -> Context:
    return Context(uuid4(), "echo", "default", 2, 3, 5, Trace.begin(), lease=4)


def kept(job: Context) -> list[dict[str, Any]]:
    piece = job.lines and job.lines.take()
    return [json.loads(line) for line in piece.lines.split("\n")] if piece else []


def within(job: Context, *calls: Any) -> list[dict[str, Any]]:
    """What is kept of these calls."""

    def run() -> None:
        current.set(job)
        for call in calls:
            call()

    contextvars.copy_context().run(run)
    return kept(job)


def test_both_ways_of_logging_are_kept_once_and_name_their_job_in_the_log(written: io.StringIO) -> None:
    job = a_job()
    lines = within(
        job,
        lambda: structlog.get_logger().info("said", n=1, password="hunter2"),
        lambda: standard.warning("asked %s", "token=abc", extra={"api_key": "abc", "n": 2}),
        lambda: standard.debug("nobody asked for this"),
    )
    told = [json.loads(line) for line in written.getvalue().splitlines()]

    assert [
        ("said", "info", None, {"n": 1, "password": "***"}),
        ("asked token=***", "warning", "test.capture", {"api_key": "***", "n": 2}),
    ] == [(line["event"], line["level"], line["logger"], line["fields"]) for line in lines]
    assert 2 * [(str(job.job_id), "echo", 2, job.trace.trace_id)] == [
        (line["job_id"], line["type"], line["attempt"], line["trace_id"]) for line in told
    ]
    assert "hunter2" not in str(told)


def test_without_a_job_or_after_its_end_nothing_is_kept() -> None:
    job = a_job()
    structlog.get_logger().info("outside")
    standard.warning("outside")
    job.close()

    assert [] == within(job, lambda: structlog.get_logger().info("late"), lambda: standard.warning("late"))
    assert not unwritten


def test_an_error_is_kept_with_its_traceback() -> None:
    def fail() -> None:
        try:
            raise ValueError("password=hunter2")
        except ValueError:
            standard.exception("broken")
            structlog.get_logger().exception("broken")

    for line in within(a_job(), fail):
        assert "Traceback" in line["fields"]["exception"]
        assert "ValueError: password=***" in line["fields"]["exception"]


class Hostile:
    def __repr__(self) -> str:
        raise ValueError

    __str__ = __repr__


@pytest.mark.parametrize(
    "value",
    [10**30, float("nan"), "\ud800", "\x00", {"a": {1: 2}}, {(1, 2): 3}, b"\xff", Hostile(), object(), "x" * 100_000,
     list(range(100_000)), {f"k{n}": "v" * 100 for n in range(1_000)}],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_whatever_is_logged_is_one_line_of_json_and_not_too_long(value: object) -> None:
    job = a_job()
    within_job = within(job, lambda: structlog.get_logger().info("odd", value=value, **{"\ud801": 1}))
    (line,) = within_job

    assert "odd" == line["event"]
    assert len(json.dumps(line)) < 4 * capture.MOST_TEXT
    assert "\x00" not in json.dumps(line)


def test_a_project_that_sets_up_structlog_itself_is_heard_too(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.KeyValueRenderer()],
                        logger_factory=structlog.PrintLoggerFactory(), wrapper_class=structlog.BoundLogger)  # fmt: skip
    capture.install()
    (line,) = within(a_job(), lambda: structlog.get_logger().msg("mine", password="hunter2"))

    assert ("mine", {"password": "***"}) == (line["event"], line["fields"])
    assert "hunter2" in capsys.readouterr().out  # its own log is its own affair


def test_a_project_that_leads_structlog_through_the_standard_library_is_heard_once() -> None:
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger,
    )  # fmt: skip
    capture.install()
    (line,) = within(a_job(), lambda: structlog.get_logger("theirs").warning("mine", n=1))

    assert ("mine", "theirs", 1) == (line["event"], line["logger"], line["fields"]["n"])
