"""Where a page ended, as an opaque word in base64: the creation time in microseconds and the id, or a row's number.

Opaque so that nobody builds one; strict so that a cut or changed one is refused and not read as another place.
"""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol
from uuid import UUID

from msgspec import Meta

from persistence.questions.pages import Place
from wire.errors import Refused

__all__ = ["Cursor", "Place", "parse", "parse_number", "write", "write_number"]

Cursor = Annotated[str | None, Meta(description="Send it as `cursor` for the next page; null on the last one")]

_LAYOUT = struct.Struct(">q16s")
_NUMBER = struct.Struct(">xQ")  # a byte in front: nine make twelve letters without padding
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Placed(Protocol):
    """What a list by time is made of."""

    @property
    def created_at(self) -> datetime: ...

    @property
    def id(self) -> UUID: ...


def write(last: Placed) -> str:
    """The cursor of the page that ends with this one."""
    micros = (last.created_at - _EPOCH) // _MICROSECOND
    return base64.urlsafe_b64encode(_LAYOUT.pack(micros, last.id.bytes)).decode()


def parse(name: str, text: str) -> Place:
    """The place it names, or Refused."""
    try:
        micros, raw = _LAYOUT.unpack(base64.b64decode(text, altchars=b"-_", validate=True))
        return Place(_EPOCH + micros * _MICROSECOND, UUID(bytes=raw))
    except (ValueError, OverflowError, struct.error, binascii.Error):
        raise _not_ours(name) from None


def write_number(last: int) -> str:
    """The cursor of the page that ends with the row of this number."""
    return base64.urlsafe_b64encode(_NUMBER.pack(last)).decode()


def parse_number(name: str, text: str) -> int:
    """The number it names, or Refused."""
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        (number,) = _NUMBER.unpack(raw)
    except (ValueError, struct.error, binascii.Error):
        raise _not_ours(name) from None
    if raw[0] or number >= 2**63:
        raise _not_ours(name)
    return int(number)


def _not_ours(name: str) -> Refused:
    return Refused(name, "is not a cursor of ours", "send next_cursor of the page before, unchanged")
