"""Every question that `python -m tests.bench` asks, in the order in which it asks them.

Each is a module of this folder with `measure(…) -> list[Figure]`, and runs by its own name too.  The sizes of a whole
run and of a short one stand here, so that what a figure means is said in one place.  The contest is not among them: it
is asked first, on the servers that the reference has stood on.
"""

from __future__ import annotations

import importlib
import inspect
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.bench.figure import Figure

HOME = "tests.bench"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A module's name, and what `measure` is given."""

    name: str
    sizes: Mapping[str, Any] = field(default_factory=dict)
    short: Mapping[str, Any] = field(default_factory=dict)
    runs: bool = False  # whether it is quick enough for the median of several

    @property
    def measure(self) -> Callable[..., list[Figure]]:
        measure: Callable[..., list[Figure]] = importlib.import_module(f"{HOME}.{self.name}").measure
        return measure

    def fits(self) -> bool:
        """Whether its module takes these sizes."""
        try:
            inspect.signature(self.measure).bind(**self.sizes)
            inspect.signature(self.measure).bind(**self.short)
        except TypeError:
            return False
        return True

    def ask(self, *, short: bool, runs: int) -> list[Figure]:
        """Its figures: each the median of the runs."""
        times = runs if self.runs and not short else 1
        return medians([self.measure(**(self.short if short else self.sizes)) for _ in range(times)])


def medians(runs: list[list[Figure]]) -> list[Figure]:
    """One figure for the same one of several runs."""
    return [
        replace(same[0], value=statistics.median(figure.value for figure in same)) for same in zip(*runs, strict=True)
    ]


SCENARIOS = (
    Scenario("drain", {"jobs": 30_000}, {"jobs": 5_000}, runs=True),
    Scenario("sync", {"jobs": 10_000, "rounds": 3}, {"jobs": 1_000, "rounds": 1}),
    Scenario("io", {"jobs": 30_000}, {"jobs": 3_000}),
    Scenario("start", {"rounds": 3, "jobs": 30_000}, {"rounds": 1, "jobs": 2_000}),
    Scenario("http", {"seconds": 8}, {"seconds": 2}),
    Scenario("bulk", {"requests": 5}, {"requests": 1}),
    Scenario("latency", {"jobs": 400}, {"jobs": 60}),
    Scenario("producer", {"jobs": 30_000}, {"jobs": 3_000}),
    Scenario("births", {"jobs": 40_000}, {"jobs": 5_000}),
    Scenario("processes", {"jobs": 15_000}, {"jobs": 2_000}),
    Scenario("payloads", {"jobs": 10_000}, {"jobs": 1_000}),
    Scenario("tracing", {"jobs": 15_000, "rounds": 2}, {"jobs": 2_000, "rounds": 1}),
    Scenario("million", {"jobs": 1_000_000}, {"jobs": 50_000, "drained": 2_000, "rounds": 1}),
    Scenario("why", {"jobs": 1_000_000}, {"jobs": 50_000}),
    Scenario("punctual", {"seconds": 20}, {"seconds": 4}),
    Scenario("crowd_due", {"schedules": 10_000}, {"schedules": 500}),
    Scenario("million_schedules", {"schedules": 1_000_000, "seconds": 20}, {"schedules": 20_000, "seconds": 3}),
    Scenario("takeover", {"rounds": 5}, {"rounds": 1}),
    Scenario("crawl", {"articles": 3_000}, {"articles": 200, "accepted": 1_000}),
    Scenario("cached", {"articles": 10_000}, {"articles": 500, "rounds": 1}),
    Scenario("extraction", {"documents": 400}, {"documents": 80}),
    Scenario("memory", {"jobs": 60_000}, {"jobs": 6_000}),
    Scenario("idle", {"seconds": 20}, {"seconds": 4}),
)
