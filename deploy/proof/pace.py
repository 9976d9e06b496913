"""How fast it went, and how long it did not go at all.  Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.proof.witness import Event

BEST_OF_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Stall:
    """A time in which nothing ended although an accepted job was waiting for its end."""

    since: float = 0.0
    seconds: float = 0.0
    only_purged: bool = False  # nothing was left but jobs whose messages a purge had taken


def longest_stall(
    accepted: Mapping[str, float], events: Sequence[Event], purged: frozenset[str] = frozenset()
) -> Stall:
    ends = _first_ends(events)
    arrivals = sorted(accepted.values())
    longest, before = Stall(), float("-inf")
    for number, (_, end) in enumerate(ends):
        # as many had ended as had come: until the next one came there was nothing to do
        since = max(before, arrivals[number]) if number < len(arrivals) else end
        if end - since > longest.seconds:
            left = {later for later, _ in ends[number:] if accepted.get(later, end) <= since}
            longest = Stall(since, end - since, bool(left) and left <= purged)
        before = end
    return longest


def best_rate(ends: Sequence[float]) -> float:
    """Ends a second, over the best stretch; `ends` in order."""
    if len(ends) < 2:
        return 0.0
    if ends[-1] - ends[0] < BEST_OF_SECONDS:
        return len(ends) / max(ends[-1] - ends[0], 0.001)
    most = max(number + 1 - bisect_left(ends, end - BEST_OF_SECONDS) for number, end in enumerate(ends))
    return most / BEST_OF_SECONDS


def _first_ends(events: Sequence[Event]) -> list[tuple[str, float]]:
    """Each job with its first end, in order of time."""
    found: dict[str, float] = {}
    for event in events:
        if not event.began:
            found[event.job] = min(event.at, found.get(event.job, event.at))
    return sorted(found.items(), key=lambda item: item[1])
