"""Messages as strangers write them: properties byte for byte, which no good client would let one send."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import pika

ECHO = b'{"type": "echo", "payload": {"message": "from afar"}}'
MESSAGE_ID, TYPE = "message_id", "type"
_BITS = {  # of the property flags, in the order in which the values follow
    "content_type": 15, "content_encoding": 14, "headers": 13, "delivery_mode": 12, "priority": 11,
    "correlation_id": 10, "reply_to": 9, "expiration": 8, "message_id": 7, "timestamp": 6, "type": 5, "app_id": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stranger:
    """One message, and the reason of the dead letter that it becomes; None: it is done."""

    name: str
    reason: str | None
    body: bytes = ECHO
    properties: Mapping[str, bytes] = field(default_factory=dict)
    exchange: str = "jobs.in"
    key: str = "job.echo.p5"
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def raw(self) -> pika.BasicProperties:
        said = {"delivery_mode": b"\x02", MESSAGE_ID: short(self.message_id.encode()), TYPE: short(b"echo")}
        return _Raw({**said, **self.properties})


class _Raw(pika.BasicProperties):  # type: ignore[misc]
    """Properties that are encoded already."""

    def __init__(self, said: Mapping[str, bytes]) -> None:
        super().__init__()
        self._said = said

    def encode(self) -> list[bytes]:
        flags = sum(1 << _BITS[name] for name in self._said)
        return [struct.pack(">H", flags), *(self._said[name] for name in _BITS if name in self._said)]


def publish(amqp_url: str, strangers: list[Stranger]) -> None:
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for one in strangers:
            channel.basic_publish(one.exchange, one.key, one.body, one.raw())


def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def table(*fields: bytes) -> bytes:
    content = b"".join(fields)
    return struct.pack(">I", len(content)) + content


def header(name: bytes, kind: bytes, value: bytes) -> bytes:
    return short(name) + kind + value


def text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def number(value: int) -> bytes:
    return struct.pack(">Q", value)


def nested(depth: int, kind: bytes) -> bytes:
    """A header of tables (F) or arrays (A) in one another."""
    name, inner = (short(b"a") if kind == b"F" else b""), table()
    for _ in range(depth):
        inner = table(name + kind + inner)
    return header(b"deep", kind, inner)


MILLISECONDS = 1_700_000_000_000
STRANGERS = [
    Stranger("a time in milliseconds", None, properties={"headers": table(header(b"t", b"T", number(MILLISECONDS)))}),
    Stranger("a time beyond all calendars", None, properties={"headers": table(header(b"t", b"T", number(2**64 - 1)))}),
    Stranger("sent in the year 55840", None, properties={"timestamp": number(MILLISECONDS * 1000)}),
    Stranger("a service named in Latin-1", None, properties={"app_id": short(b"caf\xe9")}),
    Stranger("a header named in Latin-1", None, properties={"headers": table(header(b"caf\xe9", b"S", text(b"x")))}),
    Stranger("a header in Latin-1", None, properties={"headers": table(header(b"a", b"S", text(b"caf\xe9")))}),
    Stranger("tables in tables", None, properties={"headers": table(nested(10_000, b"F"))}),
    Stranger("arrays in arrays", None, properties={"headers": table(nested(10_000, b"A"))}),
    Stranger("a run of another house", None, properties={"headers": table(header(b"run", b"l", number(2**40)))}),
    Stranger("a NUL in a header", None, properties={"headers": table(header(b"a\0b", b"S", text(b"c\0d")))}),
    Stranger("a type in Latin-1", "malformed", properties={"type": short(b"caf\xe9")}),
    Stranger("a priority of 255", "malformed", properties={"priority": b"\xff"}),
    Stranger("packed", "malformed", b"\x1f\x8b\x08\0", {"content_encoding": short(b"gzip")}),
    Stranger("UTF-16", "malformed", ECHO.decode().encode("utf-16")),
    Stranger("not UTF-8", "malformed", b'{"type": "echo", "payload": {"message": "caf\xe9"}}'),
    Stranger("nothing", "malformed", b""),
    Stranger(
        "nested 30,000 deep", "malformed", b'{"type":"echo","payload":' + b'{"a":' * 30_000 + b"1" + b"}" * 30_001
    ),
    Stranger("brackets only", "malformed", b"[" * 200_000),
    Stranger("a number of 200,000 digits", "malformed", b'{"type":"echo","payload":{"n":' + b"9" * 200_000 + b"}}"),
    Stranger(
        "the largest that the broker takes", "too_large", b'{"type":"echo","payload":"' + b"x" * 8_000_000 + b'"}'
    ),
    Stranger("straight into the queue", "too_large", b"\0" * 8_000_000, exchange="", key="work.default"),
    Stranger("straight into births", "too_large", b"[" * 8_000_000, exchange="", key="births"),
]
