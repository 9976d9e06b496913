"""Dramatiq's message ↔ our envelope.

A `@job`'s payload is its keyword arguments.  A stock actor's payload is `{"args": [...], "kwargs": {...}}`, and the
options of its message travel in `x_options`.  The queue's name comes from the queue consumed and never from a body: a
body that names an unknown queue kills stock Dramatiq's threads one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import dramatiq
from msgspec.structs import replace
from pydantic import BaseModel

from wire import strict_json
from wire.envelope import Envelope, encode
from wire.errors import Refused
from wire.fields import LONGEST_TIMEOUT, LONGEST_WAIT, MAX_RETRIES

OPTIONS: Final = "x_options"
STOCK_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"args": {"type": "array"}, "kwargs": {"type": "object"}},
    "additionalProperties": False,
}


def is_job(actor: dramatiq.Actor[Any, Any]) -> bool:
    """Whether it was declared by `@job`; otherwise it is a stock actor."""
    return "job" in actor.options


def to_envelope(
    message: dramatiq.Message[Any], actor: dramatiq.Actor[Any, Any] | None, delay_ms: int | None
) -> Envelope:
    """The envelope of a message that is sent; Refused when it cannot be JSON."""
    stock = actor is None or not is_job(actor)
    payload = {"args": list(message.args), "kwargs": message.kwargs} if stock else _fields(message)
    options = {name: value for name, value in message.options.items() if name not in _IN_ENVELOPE and value is not None}
    return Envelope(
        type=message.actor_name,
        payload=payload,
        payload_json=strict_json.encode(payload, "payload", around=1).encode(),
        id=UUID(message.message_id),
        priority=_priority(message.options.get("broker_priority")),
        max_retries=_retries(message.options.get("max_retries")),
        timeout_seconds=_seconds(message.options.get("time_limit"), LONGEST_TIMEOUT),
        delay=_seconds(delay_ms, LONGEST_WAIT.total_seconds()),
        expires_at=_expiry(message, actor),
        extra={OPTIONS: strict_json.parse(strict_json.encode(options, OPTIONS).encode())} if options else {},
    )


def to_body(envelope: Envelope, most_bytes: int) -> bytes:
    """The body that is published and kept; Refused when it is too large."""
    body = encode(replace(envelope, unique=None) if envelope.unique else envelope)
    if len(body) > most_bytes:
        raise Refused("payload", f"the job has {len(body)} bytes; at most {most_bytes} are taken", code="too_large")
    return body


def to_message(
    actor: dramatiq.Actor[Any, Any], body: Mapping[str, Any], message_id: str, created_ms: int
) -> dramatiq.Message[Any]:
    """The message that an actor is called with, from a parsed body."""
    payload = body["payload"]
    if isinstance(payload, str):
        payload = strict_json.parse(payload.encode(), "payload")
    args, kwargs = ((), payload) if is_job(actor) else (payload.get("args") or (), payload.get("kwargs") or {})
    return dramatiq.Message(
        queue_name=actor.queue_name,
        actor_name=actor.actor_name,
        args=tuple(args),
        kwargs=kwargs,
        options=dict(body.get(OPTIONS) or {}),
        message_id=message_id,
        message_timestamp=created_ms,
    )


_IN_ENVELOPE = ("broker_priority", "max_retries", "time_limit", "max_age", "delay", "eta")


def _fields(message: dramatiq.Message[Any]) -> dict[str, Any]:
    """A job's payload from a call: keywords, or one object (what a pipeline hands on)."""
    if not message.args:
        return message.kwargs
    only = message.args[0].model_dump(mode="json") if isinstance(message.args[0], BaseModel) else message.args[0]
    if len(message.args) > 1 or not isinstance(only, dict):
        raise Refused("payload", f"{message.actor_name} takes keyword arguments or one object", "name the fields")
    return {**only, **message.kwargs}


def _priority(value: object) -> int | None:
    return min(10, max(1, value)) if isinstance(value, int) else None


def _retries(value: object) -> int | None:
    return min(MAX_RETRIES, max(0, value)) if isinstance(value, int) else None


def _expiry(message: dramatiq.Message[Any], actor: dramatiq.Actor[Any, Any] | None) -> datetime | None:
    """What Dramatiq calls `max_age`, from the moment the message was made."""
    max_age = message.options.get("max_age") or (actor and actor.options.get("max_age"))
    age = _seconds(max_age, LONGEST_WAIT.total_seconds())
    made = datetime.fromtimestamp(message.message_timestamp / 1000, UTC)
    return None if age is None else made + timedelta(seconds=age)


def _seconds(millis: object, longest: float) -> float | None:
    """Stock senders write infinity for "no limit"; no door would take it back."""
    return min(millis / 1000, longest) if isinstance(millis, int | float) and millis > 0 else None
