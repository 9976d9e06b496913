"""A message as the bytes of its AMQP frames: the method, the properties, the body.

The library makes them from objects, argument by argument, which took a quarter of a gateway's time; here they are put
together by hand, and what is the same in most messages is made once.  A test holds these bytes and the library's
together, property by property.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from typing import Final

from pamqp import encode

from wire.message import CONTENT_TYPE, Header, Outgoing

METHOD, PROPERTIES, BODY, END = 1, 2, 3, b"\xce"
APP_ID: Final = b"\x06warren"
_BASIC, _PUBLISH = 60, 40
_MANDATORY = b"\x01"
# content_type, headers, delivery_mode, priority, message_id, timestamp, type, app_id; see the order in frames_of
_ALWAYS = 1 << 15 | 1 << 13 | 1 << 12 | 1 << 11 | 1 << 7 | 1 << 6 | 1 << 5 | 1 << 3
_CORRELATED = 1 << 10

_frame = struct.Struct(">BHI").pack
_content = struct.Struct(">HHQH").pack  # the class, no weight, the body's size, which properties there are
_integer = functools.lru_cache(maxsize=64)(encode.table_integer)
_size, _seconds = struct.Struct(">I").pack, struct.Struct(">Q").pack


def frames_of(message: Outgoing, channel: int, seconds: int, largest_body: int) -> bytes:
    """All frames of a durable, mandatory publish; `seconds` is its timestamp."""
    correlation = message.correlation_id
    properties = b"".join((
        _content(_BASIC, 0, len(message.body), _ALWAYS | _CORRELATED if correlation else _ALWAYS),
        _short(CONTENT_TYPE), _table(message), b"\x02", message.priority.to_bytes(1, "big"),
        _short(correlation) if correlation else b"", _text(message.message_id), _seconds(seconds),
        _short(message.type), APP_ID,
    ))  # fmt: skip
    return b"".join((
        _method(channel, message.exchange, message.routing_key),
        _frame(PROPERTIES, channel, len(properties)), properties, END, *_body(message.body, channel, largest_body),
    ))  # fmt: skip


def _body(body: bytes, channel: int, largest: int) -> Iterator[bytes]:
    for first in range(0, len(body), largest):
        part = body[first : first + largest]
        yield _frame(BODY, channel, len(part)) + part + END


def _table(message: Outgoing) -> bytes:
    headers = b"".join([_short(name) + _field(message.headers[name]) for name in sorted(message.headers)])
    return _size(len(headers)) + headers


def _field(value: Header) -> bytes:
    if isinstance(value, int):
        return _integer(value)
    text = str(value).encode()
    return b"S" + _size(len(text)) + text


@functools.lru_cache(maxsize=1_024)
def _method(channel: int, exchange: str, routing_key: str) -> bytes:
    arguments = struct.pack(">HHH", _BASIC, _PUBLISH, 0) + _text(exchange) + _text(routing_key) + _MANDATORY
    return _frame(METHOD, channel, len(arguments)) + arguments + END


@functools.lru_cache(maxsize=1_024)
def _short(text: str) -> bytes:
    return _text(text)


def _text(text: str) -> bytes:
    raw = text.encode()
    return bytes([len(raw)]) + raw  # more than 255 bytes are a ValueError
