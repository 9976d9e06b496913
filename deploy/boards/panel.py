"""A dashboard as data: rows of panels, each with its queries and with what to think of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = Literal["curve", "stack", "number", "bars"]
# as Grafana calls them
COUNT, PER_SECOND, SECONDS, BYTES, SHARE, CORES = "short", "ops", "s", "bytes", "percentunit", "none"


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` names each series by its labels: `{{queue}}`."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    says: str  # what it shows, and what to do about it
    queries: tuple[Query, ...]
    unit: str = COUNT
    shape: Shape = "curve"
    amber: float | None = None  # from here on a number is worth a look
    red: float | None = None
    good_is_high: bool = False

    @property
    def width(self) -> int:
        return {"number": 4, "bars": 12}.get(self.shape, 12)

    @property
    def height(self) -> int:
        return 4 if self.shape == "number" else 8


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """`uid` is its address: `/d/<uid>`."""

    uid: str
    title: str
    says: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for row in self.rows for panel in row.panels)


def curve(title: str, says: str, *queries: tuple[str, str], unit: str = COUNT) -> Panel:
    return Panel(title, says, tuple(Query(*query) for query in queries), unit)


def stack(title: str, says: str, *queries: tuple[str, str], unit: str = COUNT) -> Panel:
    """Curves on top of one another: their sum is what one looks at."""
    return Panel(title, says, tuple(Query(*query) for query in queries), unit, "stack")


def number(
    title: str, says: str, expression: str, unit: str = COUNT, *, amber: float | None = None,
    red: float | None = None, good_is_high: bool = False,
) -> Panel:  # fmt: skip
    return Panel(title, says, (Query(expression),), unit, "number", amber, red, good_is_high)


def bars(title: str, says: str, expression: str, legend: str, unit: str = COUNT) -> Panel:
    return Panel(title, says, (Query(expression, legend),), unit, "bars")
