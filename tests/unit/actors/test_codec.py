"""Dramatiq's message and our envelope say the same, there and back, for stock actors and for jobs."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import pytest
from pydantic import BaseModel

from actors.broker import JobBroker
from actors.codec import OPTIONS, is_job, to_envelope, to_message
from actors.job import job
from wire import envelope
from wire.envelope import Envelope
from wire.errors import Refused

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Mail(BaseModel):
    to: str = "x"


@pytest.fixture
def stock(broker: JobBroker) -> dramatiq.Actor[Any, Any]:
    @dramatiq.actor(actor_name="add", queue_name="numbers")
    def add(*args: object, **kwargs: object) -> None: ...

    return add


@pytest.fixture
def ours(broker: JobBroker) -> dramatiq.Actor[Any, Any]:
    @job("mail", queue="mails")
    def mail(payload: Mail) -> None: ...

    return mail


def travelled(sent: Envelope) -> Envelope:
    """As a worker reads it."""
    return envelope.parse(envelope.encode(sent), now=NOW)


def received(actor: dramatiq.Actor[Any, Any], sent: Envelope) -> dramatiq.Message[Any]:
    return to_message(actor, json.loads(envelope.encode(sent)), str(sent.id), 1_000)


def test_what_is_a_job_and_what_is_a_stock_actor(
    stock: dramatiq.Actor[Any, Any], ours: dramatiq.Actor[Any, Any]
) -> None:
    assert (False, True) == (is_job(stock), is_job(ours))


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1, "é"), {}), ((), {"b": [1, {"c": None}]}), ((1,), {"args": 2, "kwargs": 3}), ((10**30,), {})],
    ids=repr,
)
def test_a_stock_call_arrives_as_it_was_sent(
    stock: dramatiq.Actor[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    sent = stock.message_with_options(args=args, kwargs=kwargs)
    got = received(stock, to_envelope(sent, stock, None))

    assert (args, kwargs, "add", "numbers", sent.message_id) == (
        got.args, got.kwargs, got.actor_name, got.queue_name, got.message_id,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {"to": "a"}), (({"to": "a"},), {}), ((Mail(to="a"),), {}), (({"to": "b"},), {"to": "a"})],
    ids=repr,
)
def test_a_jobs_payload_is_its_keywords_or_one_object(
    ours: dramatiq.Actor[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """
    One object is what a pipeline hands on.
    """
    sent = to_envelope(ours.message_with_options(args=args, kwargs=kwargs), ours, None)

    assert ({"to": "a"}, b'{"to":"a"}') == (sent.payload, sent.payload_json)
    assert {"to": "a"} == received(ours, sent).kwargs


@pytest.mark.parametrize("args", [(1,), ("a", "b"), ({"to": "a"}, {"to": "b"}), ([],), (None,)], ids=repr)
def test_a_job_cannot_be_called_by_position(ours: dramatiq.Actor[Any, Any], args: tuple[Any, ...]) -> None:
    with pytest.raises(Refused, match="mail takes keyword arguments or one object; name the fields"):
        to_envelope(ours.message_with_options(args=args), ours, None)


def test_a_message_for_an_actor_that_is_not_here_is_a_stock_one(broker: JobBroker) -> None:
    """
    A web process sends by name what only workers know.
    """
    sent: dramatiq.Message[Any] = dramatiq.Message("default", "elsewhere", (1,), {"b": 2}, {})

    assert {"args": [1], "kwargs": {"b": 2}} == to_envelope(sent, None, None).payload


def test_what_the_envelope_has_a_place_for_goes_there(stock: dramatiq.Actor[Any, Any]) -> None:
    sent = stock.message_with_options(
        args=(1,), broker_priority=7, max_retries=2, time_limit=1_500, pipe_target={"a": 1}, on_success="done"
    )
    made = to_envelope(sent, stock, 2_500)

    assert (7, 2, 1.5, 2.5) == (made.priority, made.max_retries, made.timeout_seconds, made.delay)
    assert {OPTIONS: {"pipe_target": {"a": 1}, "on_success": "done"}} == made.extra
    assert {"pipe_target": {"a": 1}, "on_success": "done"} == received(stock, made).options


def test_a_message_without_options_has_a_plain_envelope(stock: dramatiq.Actor[Any, Any]) -> None:
    made = to_envelope(stock.message(1), stock, None)

    assert (None, None, None, None, {}) == (
        made.priority, made.max_retries, made.timeout_seconds, made.delay, made.extra,
    )  # fmt: skip


@pytest.mark.parametrize("delay", [None, 0, -5])
def test_no_delay_is_no_delay(stock: dramatiq.Actor[Any, Any], delay: int | None) -> None:
    assert None is to_envelope(stock.message(1), stock, delay).delay


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": 10**9},
        {"max_retries": -1},
        {"time_limit": math.inf},
        {"time_limit": 10**15},
        {"broker_priority": 99},
        {"broker_priority": -1},
        {"delay": 10**15},
        {"eta": 10**15},
    ],
    ids=repr,
)
def test_what_a_stock_sender_may_say_every_door_takes_back(
    stock: dramatiq.Actor[Any, Any], options: dict[str, Any]
) -> None:
    """
    Otherwise it would be sent, confirmed, and become a dead letter.
    """
    made = to_envelope(stock.message_with_options(args=(1,), **options), stock, options.get("delay"))

    assert made == travelled(made)


@pytest.mark.parametrize(
    "value", [object(), math.nan, "\x00", "\ud800", b"\xff", {1: 1, "1": 2}], ids=lambda value: type(value).__name__
)
def test_what_cannot_be_json_is_refused_where_it_is_sent(stock: dramatiq.Actor[Any, Any], value: object) -> None:
    with pytest.raises(Refused, match="payload"):
        to_envelope(stock.message(value), stock, None)


def test_what_cannot_travel_as_an_option_is_refused_by_its_name(stock: dramatiq.Actor[Any, Any]) -> None:
    with pytest.raises(Refused, match=OPTIONS):
        to_envelope(stock.message_with_options(args=(), callback=object()), stock, None)


def test_the_deepest_payload_that_is_sent_can_be_read(stock: dramatiq.Actor[Any, Any]) -> None:
    deep: object = 1
    for _ in range(97):
        deep = [deep]
    made = to_envelope(stock.message(deep), stock, None)

    assert made == travelled(made)
    with pytest.raises(Refused, match="nested deeper"):
        to_envelope(stock.message([deep]), stock, None)


def test_the_queue_is_the_actors_and_never_the_bodys(stock: dramatiq.Actor[Any, Any]) -> None:
    """
    A body that named an unknown queue killed stock Dramatiq's threads one by one.
    """
    body = {"payload": {"args": []}, "queue_name": "nowhere", OPTIONS: {"queue_name": "nowhere"}}

    assert "numbers" == to_message(stock, body, str(uuid4()), 0).queue_name


@pytest.mark.parametrize(
    ("payload", "args", "kwargs"),
    [
        ({}, (), {}),
        ({"args": None, "kwargs": None}, (), {}),
        ({"args": [1]}, (1,), {}),
        ('{"args": [1], "kwargs": {"b": 2}}', (1,), {"b": 2}),
    ],
)
def test_a_foreign_service_may_leave_out_what_a_stock_actor_does_not_need(
    stock: dramatiq.Actor[Any, Any], payload: object, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    message = to_message(stock, {"payload": payload, OPTIONS: None}, str(uuid4()), 0)

    assert (args, kwargs, {}) == (message.args, message.kwargs, message.options)


def test_a_payload_in_a_text_reaches_a_job(ours: dramatiq.Actor[Any, Any]) -> None:
    assert {"to": "a"} == to_message(ours, {"payload": '{"to": "a"}'}, str(uuid4()), 0).kwargs


def test_the_id_of_a_message_is_the_id_of_its_job(stock: dramatiq.Actor[Any, Any]) -> None:
    sent = stock.message(1)

    assert UUID(sent.message_id) == to_envelope(sent, stock, None).id
