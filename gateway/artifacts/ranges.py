"""Which part of an artifact a request asks for (RFC 9110, section 14); pure.

One range is answered.  Several are answered with the whole, which the RFC allows: no reader of ours asks for them, and
hundreds of tiny ones in one header are an attack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=[ \t]*(?P<first>\d{0,18})-(?P<last>\d{0,18})[ \t]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """From `start` up to `end`, which is not in it."""

    start: int
    end: int
    partial: bool


class NotSatisfiable(Exception):
    """It begins behind the end."""


def part_of(header: str | None, size: int) -> Part:
    """The part, the whole where none is named in a way that is understood; or NotSatisfiable."""
    whole = Part(0, size, partial=False)
    found = _RANGE.fullmatch(header) if header else None
    if found is None or not (found["first"] or found["last"]):
        return whole
    if not found["first"]:
        wanted = int(found["last"])
        if not wanted or not size:
            raise NotSatisfiable
        return Part(max(0, size - wanted), size, partial=True)
    first, last = int(found["first"]), int(found["last"]) if found["last"] else size - 1
    if found["last"] and last < first:
        return whole  # not a range: to be passed over
    if first >= size:
        raise NotSatisfiable
    return Part(first, min(last, size - 1) + 1, partial=True)
