"""Read a message from the public door: its body, and whether properties and routing key say the same.

Where two places name the same thing and disagree, guessing would route a job to one type and run it as another; so the
message is refused, naming both.  Reads the properties before the body, which may be hostile.
"""

from __future__ import annotations

import functools
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from wire.envelope import MAX_BYTES, Envelope, parse
from wire.errors import Refused
from wire.ladder import LEVELS
from wire.message import CONTENT_TYPE, Incoming, ReplyTo
from wire.topology import BIRTHS, DEAD_QUEUE, EPOCH, UNROUTED_QUEUE, work_queue

MOST_NAME_BYTES: Final = 255  # of a short string: what RabbitMQ takes back from us
OURS: Final = (BIRTHS, DEAD_QUEUE, UNROUTED_QUEUE, EPOCH)
PREFIXES: Final = (work_queue(""), "delay.")
BODY, KEY = "the body", "the routing key"


def read(message: Incoming, *, now: datetime, max_bytes: int = MAX_BYTES) -> Envelope:
    """The envelope of a foreign message, its id and priority settled, or Refused."""
    _check_content(message)
    message_id = job_id(message)
    reply_to(message)
    envelope = parse(message.body, now=now, max_bytes=max_bytes)
    _agree("id", BODY, envelope.id, "the property message_id", message_id)
    _agree("type", BODY, envelope.type, "the property type", message.type or None)
    _agree("type", BODY, envelope.type, KEY, _key_type(message.routing_key))
    if envelope.idempotency_key is not None:
        raise Refused("idempotency_key", "is not taken over AMQP", "the message_id is the key: send the same one again")
    if envelope.unique is not None:
        raise Refused("unique", "is not taken over AMQP", "submit it over HTTP: only Postgres knows the other jobs")
    key_priority, property_priority = _key_priority(message.routing_key), message.priority or None
    _agree("priority", BODY, envelope.priority, KEY, key_priority)
    _agree("priority", BODY, envelope.priority, "the property priority", property_priority)
    _agree("priority", "the property priority", property_priority, KEY, key_priority)
    return replace(envelope, id=message_id, priority=envelope.priority or key_priority or property_priority)


def job_id(message: Incoming) -> UUID:
    """The id in the message's properties, or Refused."""
    if not message.message_id:
        raise Refused("message_id", "is missing", "set the AMQP property message_id to a fresh UUID per job")
    try:
        return UUID(message.message_id)
    except ValueError:
        problem = f"{message.message_id[:60]!r} is not a UUID"
        raise Refused("message_id", problem, "write it as 8-4-4-4-12 hexadecimal digits") from None


def reply_to(message: Incoming) -> ReplyTo | None:
    """Whom its sender wants told, or Refused: we write with our own rights, so never into a queue of ours."""
    queue = message.reply_to
    if not queue:
        return None
    if queue in OURS or queue.startswith(PREFIXES):
        raise Refused("reply_to", f"{queue[:80]!r} is a queue of Warren", "name a queue of your own")
    asked = ReplyTo(queue, message.correlation_id or message.message_id)
    for name, text in (("reply_to", asked.queue), ("correlation_id", asked.correlation_id or "")):
        if "\x00" in text or len(text.encode("utf-8", "replace")) > MOST_NAME_BYTES:
            problem = f"{text[:60]!r} cannot be sent back"
            raise Refused(name, problem, f"use at most {MOST_NAME_BYTES} bytes of UTF-8, and no NUL")
    return asked


def named_type(message: Incoming) -> str | None:
    """The job type that property or routing key name; nothing is checked yet."""
    return message.type or ".".join(_labels(message.routing_key)[1:-1]) or None


def is_job_key(routing_key: str) -> bool:
    """Whether it is `job.<type>.p<N>`, with or without the ladder's bits before it."""
    return bool(_labels(routing_key))


def _check_content(message: Incoming) -> None:
    encoding = message.content_encoding or ""
    if encoding.lower() not in ("", "utf-8", "identity"):
        raise Refused("content_encoding", f"{encoding[:40]!r} is not understood", "send plain JSON")
    if message.content_type and message.content_type.split(";")[0].strip().lower() != CONTENT_TYPE:
        raise Refused("content_type", f"{message.content_type[:60]!r} is not {CONTENT_TYPE}")


def _agree(field: str, one: str, says: object, other: str, other_says: object) -> None:
    if says is not None and other_says is not None and says != other_says:
        raise Refused(field, f"{one} says {str(says)[:80]!r} but {other} says {str(other_says)[:80]!r}")


def _labels(key: str) -> list[str]:
    """The labels of `job.<type>.p<N>`, without the ladder's bits before them."""
    labels = key.split(".")
    if len(labels) > LEVELS and all(label in ("0", "1") for label in labels[:LEVELS]):
        labels = labels[LEVELS:]
    return labels if len(labels) >= 3 and labels[0] == "job" else []


@functools.lru_cache(maxsize=1_024)  # most messages name one of a few
def _key_type(key: str) -> str | None:
    return ".".join(_labels(key)[1:-1]) or None


@functools.lru_cache(maxsize=1_024)
def _key_priority(key: str) -> int | None:
    labels = _labels(key)
    if not labels:
        return None
    digits = labels[-1].removeprefix("p")
    if labels[-1] == f"p{digits}" and digits.isdecimal() and 1 <= int(digits) <= 10:
        return int(digits)
    raise Refused("routing_key", f"{key[:80]!r} ends in no priority", "end it with .p1 to .p10")
