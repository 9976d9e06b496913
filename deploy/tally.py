"""Add up the results of several pytest runs, so that the last line of the gate speaks for all of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.seconds + other.seconds,
        )

    def line(self) -> str:
        """As pytest says it."""
        counts = ((self.failed, "failed"), (self.passed, "passed"), (self.skipped, "skipped"))
        words = ", ".join(f"{count} {word}" for count, word in counts if count or word == "passed")
        return f" {words} in {self.seconds:.2f}s ".center(80, "=")


def read(reports: Iterable[Path]) -> Tally:
    """The sum of these JUnit reports; a run that wrote none counts as one failure."""
    return sum(map(_one, reports), Tally())


def _one(report: Path) -> Tally:
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 - pytest wrote it a moment ago
    except (OSError, ET.ParseError):
        return Tally(failed=1)
    return sum(map(_suite, suites), Tally())


def _suite(suite: ET.Element) -> Tally:
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return Tally(total - failed - skipped, failed, skipped, float(suite.get("time", 0)))
