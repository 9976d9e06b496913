"""Read the headers of a message as they lie in its frame, whoever wrote them.

Both client libraries raise in the middle of their reader over a header that RabbitMQ carries without a word: a time in
milliseconds (most of JavaScript), a name in Latin-1, a table nested a thousand deep.  The connection then falls, the
message comes again, and one message of a stranger stops every process for ever (measured).  So they read with this.

Nothing is refused here: what cannot be understood is kept as its bytes, and what a job needs is judged by whoever needs
it.  Writes nothing, and knows nothing of what the headers mean.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

MOST_DEEP: Final = 32  # ours are flat; what is deeper stays bytes
UNREADABLE: Final = "unreadable"  # the name under which the rest of a table is kept, from the first unknown kind on


def read_table(frame: bytes, offset: int) -> tuple[dict[str, object], int]:
    """The table at this place, and the place after it."""
    begin, end = _extent(frame, offset)
    return _table(frame, begin, end, 1), end


def read_name(frame: bytes, offset: int) -> tuple[str, int]:
    """The short string at this place, and the place after it; what is not UTF-8 in it is replaced."""
    begin = offset + 1
    end = begin + frame[offset]
    return frame[begin:end].decode("utf-8", "replace"), end


def read_word(frame: bytes, offset: int) -> tuple[str, int]:
    """The same, of those that most messages have in common: what was read once is not read again."""
    begin = offset + 1
    end = begin + frame[offset]
    return _word(frame[begin:end]), end


@functools.lru_cache(maxsize=1_024)
def _word(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def read_time(seconds: int) -> datetime | int:
    """The moment, or the number where no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return seconds


def _table(frame: bytes, offset: int, end: int, depth: int) -> dict[str, object]:
    table: dict[str, object] = {}
    while offset < end:
        began = offset
        try:
            name, offset = read_word(frame, offset)
            kind = frame[offset]
            if kind in _FIXED:  # here and not in a function of its own: most are numbers
                layout = _FIXED[kind]
                table[name] = layout.unpack_from(frame, offset + 1)[0]
                offset += 1 + layout.size
            else:
                table[name], offset = _OTHER[kind](frame, offset + 1, depth)
        except (KeyError, IndexError, struct.error):
            return {**table, UNREADABLE: frame[began:end]}
    return table


def _array(frame: bytes, offset: int, end: int, depth: int) -> list[object]:
    values: list[object] = []
    while offset < end:
        began = offset
        try:
            value, offset = _value(frame, offset, depth)
        except (KeyError, IndexError, struct.error):
            return [*values, frame[began:end]]
        values.append(value)
    return values


def _value(frame: bytes, offset: int, depth: int) -> tuple[object, int]:
    kind = frame[offset]
    offset += 1
    if kind in _FIXED:
        layout = _FIXED[kind]
        return layout.unpack_from(frame, offset)[0], offset + layout.size
    return _OTHER[kind](frame, offset, depth)


def _extent(frame: bytes, offset: int) -> tuple[int, int]:
    begin = offset + _LENGTH.size
    return begin, min(len(frame), begin + int(_LENGTH.unpack_from(frame, offset)[0]))


def _bytes(frame: bytes, offset: int, _: int) -> tuple[object, int]:
    begin, end = _extent(frame, offset)
    return frame[begin:end], end


def _text(frame: bytes, offset: int, _: int) -> tuple[object, int]:
    begin = offset + 4
    end = begin + int(_LENGTH.unpack_from(frame, offset)[0])
    text, end = frame[begin:end], min(len(frame), end)
    try:
        return text.decode(), end
    except UnicodeDecodeError:
        return text, end


def _nested(read: Callable[[bytes, int, int, int], object]) -> Callable[[bytes, int, int], tuple[object, int]]:
    def nested(frame: bytes, offset: int, depth: int) -> tuple[object, int]:
        begin, end = _extent(frame, offset)
        return (frame[begin:end] if depth >= MOST_DEEP else read(frame, begin, end, depth + 1)), end

    return nested


def _time(frame: bytes, offset: int, _: int) -> tuple[object, int]:
    return read_time(int(_SECONDS.unpack_from(frame, offset)[0])), offset + _SECONDS.size


def _decimal(frame: bytes, offset: int, _: int) -> tuple[object, int]:
    places, digits = _DECIMAL.unpack_from(frame, offset)
    return Decimal(digits).scaleb(-places), offset + _DECIMAL.size


def _nothing(_: bytes, offset: int, __: int) -> tuple[object, int]:
    return None, offset


_LENGTH: Final = struct.Struct(">I")
_SECONDS: Final = struct.Struct(">Q")
_DECIMAL: Final = struct.Struct(">Bi")
_FIXED: Final = {  # the kinds that RabbitMQ and its clients write, which are not those of the specification
    ord(kind): struct.Struct(layout)
    for kind, layout in {
        "t": ">?", "b": ">b", "B": ">B", "s": ">h", "U": ">h", "u": ">H", "I": ">i", "i": ">I", "l": ">q", "L": ">q",
        "f": ">f", "d": ">d",
    }.items()
}  # fmt: skip
_OTHER: Final[dict[int, Callable[[bytes, int, int], tuple[object, int]]]] = {
    ord("S"): _text,
    ord("x"): _bytes,
    ord("F"): _nested(_table),
    ord("A"): _nested(_array),
    ord("T"): _time,
    ord("D"): _decimal,
    ord("V"): _nothing,
}
