"""Refuse a Parquet file whose row groups are too large to be held: the engine unpacks one as a whole.

Thirty kilobytes can say sixty million times the same number.  What a group will need is told by the file's footer
(Thrift's compact protocol), of which no more is read here than that; a footer that is none is the engine's to judge.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from actors.ends import PermanentError

MARK: Final = b"PAR1"
MOST_FOOTER: Final = 16 * 1024 * 1024  # bytes; that of a million parts of columns
DEEPEST: Final = 32
LONGEST: Final = 63  # bits of a number
WIDTHS: Final = {0: 1, 1: 4, 2: 8, 3: 8, 4: 4, 5: 8}  # by the number of the type; a text or bytes have a view of 16
VIEW: Final = 16
TEXT: Final = 6
ROW_GROUPS, COLUMNS, ROWS = 4, 1, 3  # of the file, and of a row group
META, TYPE, PATH, VALUES, UNCOMPRESSED = 3, 1, 3, 5, 6  # of a column's part of it
Fields = dict[int, Any]


def check(path: Path, what: str, columns: Collection[str], *, first: int | None, most_bytes: int) -> None:
    """Of these columns, and of no more than the first so many records."""
    for number, (records, size) in enumerate(_row_groups(path, columns, first), start=1):
        if size > most_bytes:
            raise PermanentError(
                f"{what}: its row group {number} of {records} records unpacks to {size} bytes of the columns that are "
                f"read; at most {most_bytes} are taken (WARREN_DATASET_MAX_ROW_GROUP_BYTES), so write it in smaller "
                "ones, or ask for fewer columns"
            )


def _row_groups(path: Path, columns: Collection[str], first: int | None) -> list[tuple[int, int]]:
    """The records of each, and how many bytes they will be; none of a file whose footer cannot be read."""
    try:
        return [_unpacked(group, columns, first) for group in _Compact(_footer(path)).fields()[ROW_GROUPS]]
    except (LookupError, ValueError, TypeError, AttributeError, OSError, struct.error):
        return []


def _footer(path: Path) -> bytes:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        size = struct.unpack("<I", content[-8:-4])[0]
        if content[-4:] != MARK or size > min(MOST_FOOTER, len(content) - 8):
            raise ValueError("it has none")
        return content[-8 - size : -8]


def _unpacked(group: Fields, columns: Collection[str], first: int | None) -> tuple[int, int]:
    records = int(group[ROWS])
    read = records if first is None else min(records, first)
    parts = [part[META] for part in group[COLUMNS]]
    return records, sum(_held(part, read) for part in parts if part[PATH][0].decode() in columns)


def _held(part: Fields, records: int) -> int:
    """Bytes of memory, of a column's part of a row group."""
    values, kind = int(part[VALUES]), part[TYPE]
    if len(part[PATH]) == 1:  # else it is a list, which has more of them than the group has records
        values = min(values, records)
    return values * WIDTHS.get(kind, VIEW) + (int(part[UNCOMPRESSED]) if kind == TEXT else 0)


class _Compact:
    """Thrift's compact protocol: a struct as its fields by their numbers."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def fields(self, depth: int = 0) -> Fields:
        if depth > DEEPEST:
            raise ValueError("it is nested too deep")
        found, number = Fields(), 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._whole()
            found[number] = head & 15 == 1 if head & 15 in (1, 2) else self._value(head & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        match kind:
            case 1 | 2 | 3:
                return self._byte()
            case 4 | 5 | 6:
                return self._whole()
            case 7:
                return self._bytes(8)
            case 8:
                return self._bytes(self._number())
            case 9 | 10:
                head = self._byte()
                count = self._number() if head >> 4 == 15 else head >> 4
                return [self._value(head & 15, depth + 1) for _ in range(count)]
            case 12:
                return self.fields(depth + 1)
        raise ValueError(f"there is no type {kind} in a footer")

    def _byte(self) -> int:
        self._at += 1
        return self._content[self._at - 1]

    def _bytes(self, count: int) -> bytes:
        self._at += count
        return self._content[self._at - count : self._at]

    def _number(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7
            if shift > LONGEST:
                raise ValueError("it is no number")

    def _whole(self) -> int:
        number = self._number()
        return number >> 1 ^ -(number & 1)
