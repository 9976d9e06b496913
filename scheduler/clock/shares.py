"""Share the segments out among the clocks that live; pure.

All clocks see the same members and the same holders, and so come to the same answer without a word between them: each
gets as many as the others, within what it may serve, and as few as possible change hands.  One that sees more or less
for a moment does no harm: a segment is taken by a lock, and the next look corrects the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from wire.segments import SEGMENTS

EVERY: Final = range(SEGMENTS)


def shared_out(members: Mapping[int, frozenset[int]], holders: Mapping[int, int]) -> dict[int, int]:
    """Whose each segment is to be; what no member may serve is nobody's."""
    may = {segment: sorted(m for m in members if segment in members[m]) for segment in EVERY}
    shared = {segment: holder for segment, holder in holders.items() if holder in may[segment]}
    load = Counter(shared.values())
    for segment in sorted(EVERY, key=lambda segment: len(may[segment])):  # who has little choice chooses first
        if may[segment] and segment not in shared:
            _give(shared, load, segment, may[segment])
    while shared:
        ahead = max(shared, key=lambda segment: _gain(shared, load, segment, may[segment]))
        if _gain(shared, load, ahead, may[ahead]) < 2:  # to move it would only turn the difference round
            break
        _give(shared, load, ahead, may[ahead])
    return shared


def _gain(shared: Mapping[int, int], load: Counter[int], segment: int, may: Sequence[int]) -> int:
    """By how much its holder is ahead of whoever has the least of those who may serve it."""
    return load[shared[segment]] - min(load[member] for member in may)


def _give(shared: dict[int, int], load: Counter[int], segment: int, may: Sequence[int]) -> None:
    if segment in shared:
        load[shared[segment]] -= 1
    shared[segment] = min(may, key=lambda member: (load[member], member))
    load[shared[segment]] += 1
