"""What the pieces of a period's activity add up to; times as classes, of which medians are told to five per cent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from persistence.questions.activity import SLOWEST, Lasting, Piece, Slow
from wire.states import FINAL, State

Key = TypeVar("Key")
ENDED: Final = tuple(sorted(FINAL))


@dataclass(slots=True)
class Times:
    """How long some jobs took."""

    classes: Counter[float] = field(default_factory=Counter)
    longest: float | None = None

    def add(self, found: Lasting) -> None:
        self.classes[found.seconds] += found.jobs
        self.longest = max(self.longest or 0.0, found.longest)

    def quantile(self, share: float) -> float | None:
        """The time that this share of them did not exceed."""
        wanted, passed = share * self.classes.total(), 0
        for seconds in sorted(self.classes):
            passed += self.classes[seconds]
            if passed >= wanted:
                return min(seconds, self.longest or seconds)
        return None


@dataclass(slots=True)
class Cause:
    jobs: int = 0
    message: str | None = None


@dataclass(slots=True)
class Tally:
    """All of it so far."""

    jobs: int = 0
    forgotten: int = 0  # of them, those of which only sums are known
    retries: int = 0
    by_day: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    by_type: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    by_both: dict[tuple[int, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    retries_by_type: Counter[str] = field(default_factory=Counter)
    retries_by_both: Counter[tuple[int, str]] = field(default_factory=Counter)
    ran: dict[str, Times] = field(default_factory=lambda: defaultdict(Times))
    waited: dict[str, Times] = field(default_factory=lambda: defaultdict(Times))
    causes: dict[tuple[str, str], Cause] = field(default_factory=lambda: defaultdict(Cause))
    slowest: list[Slow] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        self.jobs += piece.jobs
        self.forgotten += piece.jobs if piece.forgotten else 0
        for count in piece.counts:
            for counter in (self.by_day[count.day], self.by_type[count.type], self.by_both[count.day, count.type]):
                counter[count.state] += count.jobs
            self.retries += count.retries
            self.retries_by_type[count.type] += count.retries
            self.retries_by_both[count.day, count.type] += count.retries
        for times, found in ((self.ran, piece.ran), (self.waited, piece.waited)):
            for one in found:
                times[one.type].add(one)
        for failure in piece.failures:
            cause = self.causes[failure.type, failure.error]
            cause.jobs, cause.message = cause.jobs + failure.jobs, cause.message or failure.message
        self.slowest = sorted([*self.slowest, *piece.slowest], key=lambda slow: -slow.seconds)[:SLOWEST]

    @property
    def states(self) -> Counter[str]:
        return _sum(self.by_day.values())

    def types(self) -> list[str]:
        """The busiest first."""
        return sorted(self.by_type, key=lambda name: (-self.by_type[name].total(), name))


def together(times: Mapping[str, Times]) -> Times:
    """Those of all types."""
    return Times(
        _sum(one.classes for one in times.values()),
        max((one.longest for one in times.values() if one.longest is not None), default=None),
    )


def success(states: Mapping[str, int]) -> float | None:
    """The share of those that completed among those that completed or failed."""
    judged = states.get(State.COMPLETED, 0) + states.get(State.FAILED, 0)
    return states.get(State.COMPLETED, 0) / judged if judged else None


def still_open(states: Mapping[str, int]) -> int:
    """Those that have not come to their end."""
    return sum(jobs for state, jobs in states.items() if state not in ENDED)


def _sum(counters: Iterable[Counter[Key]]) -> Counter[Key]:
    total: Counter[Key] = Counter()
    for counter in counters:
        total.update(counter)
    return total
