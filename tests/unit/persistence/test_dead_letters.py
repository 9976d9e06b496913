"""A dead letter is kept whatever is in it; letters of one cause are known by their fingerprint."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import pytest

from persistence.dead_letters import DeadLetter, _row, fingerprint
from wire.message import Incoming

MESSAGE = Incoming(b"\x80", "jobs.in", "job.echo.p5", "births", message_id="m", type="echo")


def refuse_constant(name: str) -> None:
    raise AssertionError(f"Postgres refuses {name}")


def row(**said: object) -> list[object]:
    plain: dict[str, object] = {"body": b"", "exchange": "", "routing_key": "", "queue": "births"}
    return list(_row(DeadLetter(Incoming(**(plain | said)), "malformed", "body: no")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "headers",
    [
        {"a": math.nan},
        {"a": [math.inf, {"b": -math.inf}]},
        {"a": b"\xff\x00"},
        {"a": datetime(2026, 1, 1, tzinfo=UTC)},
        {"a\x00": "\x00"},
        {"x-death": [{"count": 2**62, "reason": "expired", "time": datetime(2026, 1, 1, tzinfo=UTC)}]},
        {"a": None, "b": True, "c": 1.5, "d": {"e": []}},
    ],
    ids=repr,
)
def test_any_header_becomes_json_that_postgres_takes(headers: dict[str, object]) -> None:
    """
    A message that cannot be kept would come again for ever, and stop those behind it.
    """
    text = str(row(headers=headers)[5])

    assert {"headers", "properties"} == json.loads(text, parse_constant=refuse_constant).keys()
    assert "\\u0000" not in text


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "é"])
def test_any_text_becomes_one_that_postgres_takes(text: str) -> None:
    letter = DeadLetter(Incoming(b"", text, text, "births", message_id=text, type=text), "malformed", text)

    for value in _row(letter):
        if isinstance(value, str):
            assert "\x00" not in value
            value.encode()


def test_the_bytes_are_kept_as_they_came() -> None:
    assert b"\x80\x00\xff" == row(body=b"\x80\x00\xff")[3]


def test_what_was_said_beside_the_body_is_kept() -> None:
    kept = json.loads(str(row(headers={"a": 1}, content_type="text/xml", priority=0, reply_to="q")[5]))

    assert {"headers": {"a": 1}, "properties": {"content_type": "text/xml", "priority": 0, "reply_to": "q"}} == kept


def test_letters_of_one_cause_have_one_fingerprint() -> None:
    one = fingerprint("malformed", "echo", "priority: 11 is not a priority")

    assert one == fingerprint("malformed", "echo", "priority: 99 is not a priority")
    assert one != fingerprint("malformed", "echo", "timeout_seconds: -1 is not a time limit")
    assert one != fingerprint("malformed", "report", "priority: 11 is not a priority")
    assert one != fingerprint("unroutable", "echo", "priority: 11 is not a priority")
