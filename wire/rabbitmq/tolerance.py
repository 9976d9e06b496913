"""Have aio-pika's reader take whatever RabbitMQ delivers; see headers.py for why.

pamqp, which decodes its frames, keeps its decoders in a table; three of them raise over what strangers send, and then
the whole connection falls.  They are replaced once, before the first connection.
"""

from __future__ import annotations

import struct
from datetime import datetime

from pamqp import decode

from wire.rabbitmq.headers import read_name, read_table, read_time


def tolerate_strangers() -> None:
    """Replace the decoders of tables, names and times; a second call changes nothing."""
    decode.METHODS.update(table=_table, shortstr=_name, timestamp=_time)  # type: ignore[arg-type]


def _table(value: bytes) -> tuple[int, dict[str, object]]:
    table, consumed = read_table(value, 0)
    return consumed, table


def _name(value: bytes) -> tuple[int, str]:
    name, consumed = read_name(value, 0)
    return consumed, name


def _time(value: bytes) -> tuple[int, datetime | None]:
    """The property `timestamp`; a number that is no time is dropped, since aio-pika would look for it in a calendar."""
    time = read_time(int(_SECONDS.unpack_from(value)[0]))
    return _SECONDS.size, time if isinstance(time, datetime) else None


_SECONDS = struct.Struct(">Q")
