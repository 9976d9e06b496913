"""A message is made from a list of properties, and never copied from the one received."""

from __future__ import annotations

from uuid import UUID

import pytest

from wire import ladder
from wire.message import Incoming, Outgoing, birth_message, job_message
from wire.tracing import Trace

ID = UUID("019a0000-0000-7000-8000-000000000001")
TRACE = Trace("a" * 32, "b" * 16)
BODY = b'{"type":"echo","payload":{}}'


def message(**said: object) -> Outgoing:
    plain = {"job_id": ID, "job_type": "echo", "priority": 7, "body": BODY, "run": 3, "trace": TRACE.headers()}
    return job_message(**(plain | said))  # type: ignore[arg-type]


def test_a_job_that_is_due_goes_to_the_inner_door() -> None:
    assert Outgoing(
        "jobs", "job.echo.p7", BODY, str(ID), "echo", 7, {"run": 3, "attempt": 0, "traceparent": TRACE.parent}
    ) == message()  # fmt: skip


def test_a_job_that_waits_enters_the_ladder() -> None:
    waiting = message(wait_units=1_000)

    assert ladder.entry(1_000, "job.echo.p7") == (waiting.exchange, waiting.routing_key)


def test_a_birth_goes_through_the_public_door_and_carries_no_run() -> None:
    born = birth_message(job_id=ID, job_type="echo", priority=5, body=BODY, trace=TRACE.headers())

    assert Outgoing("jobs.in", "job.echo.p5", BODY, str(ID), "echo", 5, TRACE.headers()) == born


def test_the_body_travels_as_it_came() -> None:
    assert BODY is message(attempt=3, because="refused").body


def test_nothing_of_a_foreign_message_can_travel_on() -> None:
    """
    `user_id` closes the channel, `CC` routes a second copy, `expiration` deletes, and an `x-death` makes RabbitMQ drop
    the second trip through the ladder.  There is no place for any of them, and the headers are ours.
    """
    carried = set(Outgoing.__struct_fields__)
    headers = set(message(attempt=2, because="x", trace=Trace("a" * 32, "b" * 16, state="k=v").headers()).headers)

    assert {"exchange", "routing_key", "body", "message_id", "type", "priority", "headers", "correlation_id"} == carried
    assert message().correlation_id is None  # only a reply has one
    assert {"run", "attempt", "because", "traceparent", "tracestate"} == headers


def test_the_reason_is_short() -> None:
    """
    Headers share a frame with the rest of the properties.
    """
    assert 200 == len(str(message(because="x" * 100_000).headers["because"]))


@pytest.mark.parametrize(
    ("header", "run"),
    [
        ({"run": 1}, 1),
        ({"run": 2**31 - 1}, 2**31 - 1),
        ({"run": 2**31}, None),  # no column holds it: a stranger's
        ({}, None),
        ({"run": 0}, None),
        ({"run": -1}, None),
        ({"run": True}, None),
        ({"run": "3"}, None),
        ({"run": 3.0}, None),
        ({"run": None}, None),
        ({"run": [3]}, None),
    ],
)
def test_a_message_without_a_run_of_ours_came_by_the_public_door(header: dict[str, object], run: int | None) -> None:
    assert run == Incoming(b"", "jobs", "", "work.default", headers=header).run


@pytest.mark.parametrize(
    ("exchange", "deaths", "run"),
    [
        ("jobs.in", None, None),
        ("jobs.dead", [{"exchange": "jobs.in", "reason": "expired"}], None),
        ("delay.due", [{"exchange": "delay.03", "reason": "expired"}], 1),
        ("jobs", "soon", 1),
        ("jobs", ["soon"], 1),
    ],
)
def test_a_run_that_a_stranger_wrote_counts_for_nothing(exchange: str, deaths: object, run: int | None) -> None:
    """
    Taken at its word, a worker would call the job an orphan while the recorder makes its row.
    """
    assert run == Incoming(b"", exchange, "", "dead", headers={"run": 1, "x-death": deaths}).run
