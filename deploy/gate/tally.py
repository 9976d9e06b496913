"""Add up the results of several pytest runs, so that the last lines of the gate speak for all of them.

What failed is told once more, a line each: whoever reads only the end of a long log sees it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST: Final = 30  # failures that are told
WIDTH: Final = 300


@dataclass(frozen=True, slots=True)
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    faults: tuple[str, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.seconds + other.seconds,
            self.faults + other.faults,
        )

    def lines(self) -> str:
        """What failed, and the sum."""
        return "\n".join([*self.faults[:MOST], self.line()])

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
        return Tally(failed=1, faults=(f"FAILED {report.stem}: its run left no report",))
    return sum(map(_suite, suites), Tally())


def _suite(suite: ET.Element) -> Tally:
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    faults = tuple(
        _fault(case, bad) for case in suite.iter("testcase") for bad in [*case.iter("failure"), *case.iter("error")]
    )
    return Tally(total - failed - skipped, failed, skipped, float(suite.get("time", 0)), faults)


def _fault(case: ET.Element, bad: ET.Element) -> str:
    said = " ".join(bad.get("message", "").split())
    return f"FAILED {case.get('classname', '')}::{case.get('name', '')} - {said}"[:WIDTH]
