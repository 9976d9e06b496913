"""A message says some things twice; where it disagrees with itself it is refused, naming both places."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from wire import agreement, ladder
from wire.errors import Refused
from wire.message import Incoming, ReplyTo

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ID = "019a0000-0000-7000-8000-000000000001"
OTHER = "019a0000-0000-7000-8000-000000000002"


def incoming(*, key: str = "job.echo.p5", properties: dict[str, object] | None = None, **fields: object) -> Incoming:
    body = json.dumps({"type": "echo", "payload": {}} | fields).encode()
    plain = Incoming(body, "jobs.in", key, "births", message_id=ID)
    return replace(plain, **(properties or {}))  # type: ignore[arg-type]


def refusal(message: Incoming) -> Refused:
    with pytest.raises(Refused) as caught:
        agreement.read(message, now=NOW)
    return caught.value


@pytest.mark.parametrize(
    "message",
    [
        incoming(),
        incoming(id=ID),
        incoming(id=ID.upper()),
        incoming(properties={"type": "echo", "priority": 5}),
        incoming(priority=5, properties={"priority": 5}),
        incoming(priority="medium"),
        incoming(properties={"type": "", "priority": 0}),
        incoming(properties={"content_type": "application/json; charset=utf-8", "content_encoding": "UTF-8"}),
        incoming(properties={"content_type": "Application/JSON"}),
        incoming(properties={"content_type": "", "content_encoding": ""}),
        incoming(properties={"message_id": ID.upper()}),
        incoming(properties={"message_id": ID.replace("-", "")}),
        incoming(key="echo"),  # came through an exchange of somebody's own
        incoming(key=""),
        incoming(key=ladder.entry(1_000, "job.echo.p5")[1]),
        incoming(key=ladder.bits(2**25 - 1) + ".job.echo.p5"),
    ],
    ids=repr,
)
def test_what_agrees_is_taken(message: Incoming) -> None:
    envelope = agreement.read(message, now=NOW)

    assert (UUID(ID), "echo") == (envelope.id, envelope.type)


@pytest.mark.parametrize(
    ("message", "field", "one", "other"),
    [
        (incoming(id=OTHER), "id", OTHER, ID),
        (incoming(properties={"type": "report"}), "type", "the body says 'echo'", "the property type says 'report'"),
        (incoming(key="job.report.p5"), "type", "the body says 'echo'", "the routing key says 'report'"),
        (incoming(key="job.report.daily.p5"), "type", "'echo'", "'report.daily'"),
        (incoming(key=ladder.entry(7, "job.report.p5")[1]), "type", "'echo'", "'report'"),
        (incoming(priority=9), "priority", "the body says '9'", "the routing key says '5'"),
        (incoming(priority="high", properties={"priority": 5}), "priority", "'8'", "'5'"),
        (
            incoming(key="echo", priority=9, properties={"priority": 1}),
            "priority",
            "'9'",
            "the property priority says '1'",
        ),
        (
            incoming(properties={"priority": 9}),
            "priority",
            "the property priority says '9'",
            "the routing key says '5'",
        ),
        (incoming(properties={"priority": 255}), "priority", "'255'", "'5'"),
    ],
    ids=repr,
)
def test_two_that_disagree_are_refused_naming_both(message: Incoming, field: str, one: str, other: str) -> None:
    refused = refusal(message)

    assert field == refused.field
    assert one in refused.problem
    assert other in refused.problem


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (incoming(properties={"message_id": None}), "message_id"),
        (incoming(properties={"message_id": ""}), "message_id"),
        (incoming(properties={"message_id": "42"}), "message_id"),
        (incoming(properties={"message_id": ID + "\x00"}), "message_id"),
        (incoming(properties={"message_id": "x" * 5_000}), "message_id"),
        (incoming(properties={"content_type": "text/xml"}), "content_type"),
        (incoming(properties={"content_type": "application/x-python-serialize"}), "content_type"),
        (incoming(properties={"content_encoding": "gzip"}), "content_encoding"),
        (incoming(properties={"content_encoding": "binary"}), "content_encoding"),
        (incoming(key="job.echo.p11"), "routing_key"),
        (incoming(key="job.echo.p0"), "routing_key"),
        (incoming(key="job.echo.high"), "routing_key"),
        (incoming(key="job.echo.5"), "routing_key"),
        (incoming(key="job.echo.p"), "routing_key"),
        (incoming(idempotency_key="k"), "idempotency_key"),
        (incoming(unique=True), "unique"),
        (incoming(max_retrys=1), "max_retrys"),
        (incoming(properties={"body": b"hello"}), "body"),
        (incoming(properties={"body": b"\x80\x04N."}), "body"),
    ],
    ids=repr,
)
def test_what_is_wrong_is_refused_by_the_name_of_its_place(message: Incoming, field: str) -> None:
    refused = refusal(message)

    assert field == refused.field
    assert len(str(refused)) < 500


def test_the_properties_are_read_before_the_body() -> None:
    """
    A body may be hostile, and a message without an id cannot become a job whatever is in it.
    """
    hostile = incoming(properties={"message_id": None, "body": b"[" * 1_000_000})

    assert "message_id" == refusal(hostile).field


def test_a_large_body_is_refused_unread() -> None:
    with pytest.raises(Refused) as caught:
        agreement.read(incoming(payload={"a": "b" * 100}), now=NOW, max_bytes=100)

    assert "too_large" == caught.value.code


@pytest.mark.parametrize(
    ("message", "priority"),
    [
        (incoming(priority=7, key="job.echo.p7"), 7),
        (incoming(key="job.echo.p7"), 7),
        (incoming(key="job.echo.p7", properties={"priority": 7}), 7),
        (incoming(key="", properties={"priority": 7}), 7),
        (incoming(key="", properties={"priority": 0}), None),
        (incoming(key=""), None),
    ],
    ids=repr,
)
def test_the_priority_is_settled_wherever_it_was_said(message: Incoming, priority: int | None) -> None:
    """
    The row must not say 5 of a job that travels as 7.
    """
    assert priority == agreement.read(message, now=NOW).priority


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (incoming(), "echo"),
        (incoming(key="job.a.b.p1"), "a.b"),
        (incoming(key="job.a.b.p1", properties={"type": "c"}), "c"),
        (incoming(key=ladder.entry(5, "job.a.b.p1")[1]), "a.b"),
        (incoming(key="nothing"), None),
        (incoming(key="job.p5"), None),
        (incoming(key=""), None),
    ],
    ids=repr,
)
def test_a_message_that_cannot_be_read_still_names_its_type(message: Incoming, name: str | None) -> None:
    assert name == agreement.named_type(message)


def test_bits_are_only_a_ladders_when_there_are_all_of_them() -> None:
    """
    A type may well be called `0.1`.
    """
    assert "0.1" == agreement.named_type(incoming(key="job.0.1.p5"))
    assert None is agreement.named_type(incoming(key="0.1.job.echo.p5"))


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({}, None),
        ({"reply_to": ""}, None),
        ({"correlation_id": "1"}, None),
        ({"reply_to": "answers"}, ReplyTo("answers", ID)),
        ({"reply_to": "answers", "correlation_id": "1"}, ReplyTo("answers", "1")),
        ({"reply_to": "answers", "message_id": None}, ReplyTo("answers", None)),
        ({"reply_to": "amq.rabbitmq.reply-to.g1h2", "correlation_id": "1"}, ReplyTo("amq.rabbitmq.reply-to.g1h2", "1")),
        ({"reply_to": "workers", "correlation_id": "ä" * 127}, ReplyTo("workers", "ä" * 127)),
    ],
)
def test_who_is_to_be_told(said: dict[str, object], asked: ReplyTo | None) -> None:
    assert asked == agreement.reply_to(incoming(properties=said))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"reply_to": "births"}, "reply_to"),
        ({"reply_to": "dead"}, "reply_to"),
        ({"reply_to": "unrouted"}, "reply_to"),
        ({"reply_to": "warren.epoch"}, "reply_to"),
        ({"reply_to": "work.default"}, "reply_to"),
        ({"reply_to": "delay.07"}, "reply_to"),
        ({"reply_to": "a\0b"}, "reply_to"),
        ({"reply_to": "\ufffd" * 86}, "reply_to"),  # 255 bytes that are no UTF-8 come so, and would not go back
        ({"reply_to": "answers", "correlation_id": "a\0b"}, "correlation_id"),
        ({"reply_to": "answers", "correlation_id": "\ufffd" * 86}, "correlation_id"),
    ],
)
def test_what_cannot_be_sent_back_or_would_land_in_a_queue_of_ours_is_refused(
    said: dict[str, object], field: str
) -> None:
    assert field == refusal(incoming(properties=said)).field
