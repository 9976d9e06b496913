"""Counters, gauges and histograms: what they are called, and their values in this process.

Made for hot paths: one dictionary entry is changed for each call and nothing is locked, so each of them belongs to one
thread.  A label's value must come from a set with a bound (types, queues, routes, words of ours), never from a message.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping
from typing import Final, Literal

Role = Literal["gateway", "recorder", "scheduler", "worker"]
Labels = tuple[str, ...]
Merge = Literal["sum", "max"]
GATEWAY: Final[Role] = "gateway"
RECORDER: Final[Role] = "recorder"
SCHEDULER: Final[Role] = "scheduler"
WORKER: Final[Role] = "worker"
ALL: Final[tuple[Role, ...]] = (GATEWAY, RECORDER, SCHEDULER, WORKER)


class Metric:
    """What all three have in common: how they are told."""

    kind: str

    def __init__(self, name: str, help: str, labels: Labels = (), *, roles: tuple[Role, ...], merge: Merge = "sum"):
        self.name, self.help, self.labels, self.roles, self.merge = name, help, labels, roles, merge


class Counter(Metric):
    """Only grows; what a crash of one child loses is what it counted since it last told."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Labels = (), *, roles: tuple[Role, ...]) -> None:
        super().__init__(name, help, labels, roles=roles)
        self.values: dict[Labels, float] = {}
        self.begin(*[()] * (not labels))

    def begin(self, *each: Labels) -> None:
        """Show these from the start: a rate cannot see the first count of a series that was not there before."""
        for labels in each:
            self.values.setdefault(labels, 0.0)

    def add(self, *labels: str, by: float = 1.0) -> None:
        self.values[labels] = self.values.get(labels, 0.0) + by

    def stands_at(self, total: float, *labels: str) -> None:
        """Somebody else counts, such as the kernel."""
        self.values[labels] = total


class Gauge(Metric):
    """What stands now.  A whole family is set at once, so that what is gone disappears."""

    kind = "gauge"

    def __init__(
        self, name: str, help: str, labels: Labels = (), *, roles: tuple[Role, ...], merge: Merge = "sum"
    ) -> None:
        super().__init__(name, help, labels, roles=roles, merge=merge)
        self.values: dict[Labels, float] = {}

    def set(self, value: float, *labels: str) -> None:
        self.values[labels] = float(value)  # a flag is a number too

    def replace(self, values: Mapping[Labels, float]) -> None:
        self.values = {labels: float(value) for labels, value in values.items()}

    def clear(self) -> None:
        self.values = {}


class Histogram(Metric):
    """Cumulative in the text, not here: each value counts in one bucket.  Its values begin with the sum."""

    kind = "histogram"

    def __init__(
        self, name: str, help: str, labels: Labels = (), *, roles: tuple[Role, ...], bounds: tuple[float, ...]
    ) -> None:
        super().__init__(name, help, labels, roles=roles)
        self.bounds = bounds
        self.values: dict[Labels, list[float]] = {}
        self.begin(*[()] * (not labels))

    def begin(self, *each: Labels) -> None:
        for labels in each:
            self.of(*labels)

    def of(self, *labels: str) -> list[float]:
        """The figures of these labels: the sum, then the count of each bucket."""
        figures = self.values.get(labels)
        if figures is None:
            figures = self.values[labels] = [0.0] * (len(self.bounds) + 2)
        return figures

    def observe(self, value: float, *labels: str) -> None:
        self.observe_all((value,), *labels)

    def observe_all(self, values: Collection[float], *labels: str) -> None:
        """Many at once, for whoever works in batches."""
        figures, bounds = self.values.get(labels) or self.of(*labels), self.bounds
        figures[0] += sum(values)
        for value in values:
            figures[bisect_left(bounds, value) + 1] += 1.0
