"""What is kept of a line can be read again, however a project's own chain of processors has dressed it."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog

from actors.attempts import capture
from actors.context import Context, current
from actors.lines import unwritten
from gateway.answers.logs import LogLine, line
from persistence.attempts.attempt_logs import Line
from wire.tracing import Trace


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    unwritten.take()


@pytest.mark.parametrize(
    "dress",
    [
        {"timestamp": 1_795_257_873.1},  # structlog's TimeStamper() without a format
        {"timestamp": "10:44:33"},
        {"timestamp": "2026-11-21 10:44:33"},
        {"logger": 3},
        {"level": 20},
        {"level": None, "logger": None, "timestamp": None},
    ],
    ids=str,
)
def test_a_line_can_be_read_however_it_was_dressed(dress: dict[str, Any]) -> None:
    """
    One line that cannot be read would hide all others of its job.
    """
    read = _read({"event": "said", "n": 1, **dress})

    assert ("said", b'{"n":1}') == (read.event, bytes(read.fields))


def _read(event: dict[str, Any]) -> LogLine:
    """What the gateway answers of it."""
    job = Context(uuid4(), "echo", "default", 1, 3, 5, Trace.begin(), lease=1)

    def log() -> None:
        current.set(job)
        capture.keep(structlog.PrintLogger(), "info", event)

    contextvars.copy_context().run(log)
    piece = job.heard().take()
    assert piece is not None
    return line(Line(piece.lease, piece.attempt, piece.first, piece.lines))
