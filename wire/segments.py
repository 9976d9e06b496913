"""Segments: the 128 parts into which schedules fall by their ids, so that schedulers can share them.

`SCHEDULER_SEGMENTS` pins a scheduler to some of them: `0-127`, or numbers and ranges, `0-31,64,100-127`.  Refuses what
is no number, what lies beyond the last segment and a range that goes backwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

SEGMENTS: Final = 128
EVERY: Final = f"0-{SEGMENTS - 1}"
_PART: Final = re.compile(r"([0-9]{1,3})(?:\s*-\s*([0-9]{1,3}))?")


class Stretch(NamedTuple):
    """Segments that follow one another, the last one included."""

    first: int
    last: int


def stretches(said: str) -> tuple[Stretch, ...]:
    """What a person wrote, in order and without repetition; ValueError for what is not that."""
    return joined({segment for part in said.split(",") for segment in _segments(part.strip())})


def joined(segments: Iterable[int]) -> tuple[Stretch, ...]:
    """As few stretches as will do."""
    found: list[Stretch] = []
    for segment in sorted(set(segments)):
        if found and found[-1].last == segment - 1:
            found[-1] = Stretch(found[-1].first, segment)
        else:
            found.append(Stretch(segment, segment))
    return tuple(found)


def within(stretches: Iterable[Stretch]) -> frozenset[int]:
    return frozenset(segment for first, last in stretches for segment in range(first, last + 1))


def _segments(part: str) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"must be numbers and ranges such as {EVERY} or 0-31,64")
    first, last = int(match[1]), int(match[2] or match[1])
    if last >= SEGMENTS:
        raise ValueError(f"must lie within {EVERY}")
    if last < first:
        raise ValueError("has a range that goes backwards")
    return range(first, last + 1)
