"""A dead letter is kept whatever is in it; letters of one cause are known by their fingerprint."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime

import pytest

from persistence.letters.dead_letters import DeadLetter, _row, fingerprint
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("priority: 11 is not a priority", "priority: 99 is not a priority"),
        ("payload.items.3.n: 7 is less than 10", "payload.items.12.n: 0.5 is less than 10"),
        ("payload.n: \"a\" is not of type \"integer\"", "payload.n: {\"b\":[1]} is not of type \"integer\""),
        ("payload.n: null is not of type \"integer\"", "payload.n: [true, 2] is not of type \"integer\""),
        ("type: 'ecko' is not a known job type; did you mean echo? known: echo",
         "type: 'eckoh' is not a known job type; known: echo, sleep"),
        ("id: 019a2b3c-0000-7000-8000-000000000001 belongs to another job",
         "id: 019a2b3c-ffff-7fff-bfff-ffffffffffff belongs to another job"),
        ("a queue gave this up: message_id: 'a' is not a UUID", "a queue gave this up: message_id: 'b' is not a UUID"),
        ("type: the body says 'a' but the key says 'b'", "type: the body says \"it's\" but the key says 'c'"),
        ("body: has 262145 bytes", "body: has 999999 bytes"),
    ],
)  # fmt: skip
def test_letters_of_one_cause_have_one_fingerprint(one: str, other: str) -> None:
    assert fingerprint("malformed", "echo", one) == fingerprint("malformed", "echo", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("priority: 11 is not a priority", "timeout_seconds: -1 is not a time limit"),
        ("a queue gave this message up: its job is unknown", "a queue gave this message up: priorty: is not a field"),
        ("payload.n: 7 is not of type", "payload.m: 7 is not of type"),
        ("body: is not JSON", "body: is not UTF-8"),
    ],
)
def test_letters_of_two_causes_have_two(one: str, other: str) -> None:
    assert fingerprint("malformed", "echo", one) != fingerprint("malformed", "echo", other)


def test_another_reason_or_type_is_another_cause() -> None:
    one = fingerprint("malformed", "echo", "priority: 11 is not a priority")

    assert one != fingerprint("malformed", "report", "priority: 11 is not a priority")
    assert one != fingerprint("unroutable", "echo", "priority: 11 is not a priority")


@pytest.mark.parametrize("hostile", ["{" * 5_000, "'" * 5_001, '"\\' * 5_000, "1." * 5_000, "a" * 1_000_000])
def test_a_hostile_detail_costs_no_more_than_a_blink(hostile: str) -> None:
    began = time.process_time()  # not the clock on the wall: others may be at work
    fingerprint("malformed", "echo", hostile)

    assert time.process_time() - began < 0.5


def test_headers_that_cannot_be_written_down_cost_no_letter() -> None:
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    kept = json.loads(str(row(headers={"a": deep}, priority=3)[5]))

    assert {"headers": {"unreadable": "RecursionError"}, "properties": {"priority": 3}} == kept
