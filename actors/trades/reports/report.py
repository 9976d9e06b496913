"""What a report says, before anybody decides how it looks: figures, charts, tables, notes.

A template, ours or a user's, gets exactly this.  Numbers stay numbers until they are shown (wording.py), so that the
CSV has all their digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from actors.trades.reports.period import Period

Kind = Literal["text", "word", "id", "count", "number", "money", "round", "share", "change", "seconds", "day", "moment"]
Tone = Literal["plain", "good", "bad"]
MOST_ROWS = 60  # of a table on paper; what is beyond them nobody reads there


@dataclass(frozen=True, slots=True)
class Shown:
    """A value that is of another kind than its column."""

    value: str | float | None
    kind: Kind


Cell = str | int | float | date | datetime | Shown | None


@dataclass(frozen=True, slots=True)
class Column:
    """What stands in it: how it is shown and on which side hang on this word."""

    name: str
    kind: Kind = "text"

    @property
    def numeric(self) -> bool:
        return self.kind not in ("text", "word", "id", "day", "moment")


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] | None = None
    note: str = ""
    most: int = MOST_ROWS
    empty: str = "Nothing in this period."  # what stands there instead of no rows

    @property
    def shown(self) -> Sequence[Sequence[Cell]]:
        return self.rows[: self.most]

    @property
    def left_out(self) -> int:
        return len(self.rows) - len(self.shown)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that somebody in a hurry reads."""

    label: str
    value: Cell
    kind: Kind = "count"
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of bars, upright and stacked or lying: one series a colour, one value of each at a place."""

    title: str
    places: Sequence[str]
    series: Sequence[tuple[str, str, Sequence[float]]]  # its name, its tone, its values
    kind: Kind = "count"
    lying: bool = False
    line: tuple[str, Sequence[float]] | None = None  # drawn over them, such as the same days of the year before
    svg: str = ""  # once it is drawn

    @property
    def told(self) -> str:
        """For who cannot see it."""
        names = ", ".join(name for name, _, _ in self.series)
        return f"{self.title}: {names}, from {self.places[0]} to {self.places[-1]}" if self.places else self.title


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    kicker: str  # over the title, small: which kind of report it is
    title: str
    about: str  # of what, in a sentence
    period: Period
    made_at: datetime  # in the zone of the period
    figures: Sequence[Figure]
    charts: Sequence[Bars]
    tables: Sequence[Table]
    detail: Table  # what the CSV has: one table, with all rows
    highlights: Sequence[str] = field(default=())  # sentences that the figures amount to
    notes: Sequence[str] = field(default=())  # what a reader must know to believe the figures

    @property
    def empty(self) -> bool:
        return not self.detail.rows
