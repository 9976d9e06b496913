"""A table: what the engine reads lazily, the kinds of its columns, and how its records are told apart.

`kinds` are the words of this house for what a column holds; the engine has thirty types for them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Final

import polars as pl

from actors.ends import PermanentError

MOST_TOLD: Final = 40  # columns, in a sentence


class Kind(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"  # a date with the time of day
    NESTED = "nested"  # a list or an object
    OTHER = "other"


FIGURES: Final = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN})


Reading = Callable[[pl.LazyFrame, Mapping[str, Kind], Mapping[str, int]], pl.LazyFrame]


def _as_it_is(frame: pl.LazyFrame, kinds: Mapping[str, Kind], places: Mapping[str, int]) -> pl.LazyFrame:
    return frame


@dataclass(frozen=True, slots=True)
class Table:
    """One that is open."""

    name: str
    format: str
    frame: pl.LazyFrame
    kinds: dict[str, Kind]  # of its columns, in their order
    records: int
    field: str  # of the payload, that names it
    values: dict[str, pl.Expr] = dataclass_field(default_factory=dict)  # of texts, as what they stand for
    places: dict[str, int] = dataclass_field(default_factory=dict)  # after the point, of numbers written out
    reading: Reading = _as_it_is  # texts, as what they stand for
    fault: Callable[[], str | None] = lambda: None  # which line of the file is no record, if one is not
    check: Callable[[Collection[str]], None] = lambda _: None  # whether these columns can be held, before they are read

    @property
    def columns(self) -> list[str]:
        return list(self.kinds)

    def value(self, name: str) -> pl.Expr:
        """What a column holds; a file of texts is left as it is written, for 1.50 is not 1.5 to whoever reads it."""
        return self.values.get(name, pl.col(name))

    def why_text(self, name: str) -> str:
        """Which value makes a column of a CSV file one of texts, if it has one that is a figure too."""
        if name not in self.values or self.kinds[name] is not Kind.TEXT:
            return ""
        bare = pl.col(name).str.strip_chars()
        fits = bare.cast(pl.Float64, strict=False).is_not_null()
        texts = self.frame.select(pl.col(name)).with_row_index("record", offset=1)
        odd = texts.filter(~fits & (bare != "")).head(1).collect(engine="streaming")
        if not odd.height or not texts.filter(fits).head(1).collect(engine="streaming").height:
            return ""
        number, value = odd.row(0)
        return f": record {number} has {str(value)[:60]!r} (`missing` names texts that stand for no value)"

    def typed(self) -> Table:
        """The same, its values being what they stand for."""
        return replace(self, frame=self.read(self.frame, self.kinds), values={}, places={}, reading=_as_it_is)

    def read(self, frame: pl.LazyFrame, names: Collection[str], exact: Collection[str] = ()) -> pl.LazyFrame:
        """These columns of its records as what they stand for, and some of them as decimals too."""
        places = {name: self.places[name] for name in exact}
        return self.reading(frame, {name: self.kinds[name] for name in names}, places)

    def known(self, names: list[str], field: str) -> list[str]:
        """These columns, or PermanentError that lists what there is."""
        for name in names:
            self.kind(name, field)
        return names

    def kind(self, name: str, field: str) -> Kind:
        found = self.kinds.get(name)
        if found is None:
            near = difflib.get_close_matches(name, self.columns, n=1, cutoff=0.5)
            more = ", …" if len(self.kinds) > MOST_TOLD else ""
            raise PermanentError(
                f"{field}: {self.name} has no column {name!r}" + (f" ({near[0]}?)" if near else "")
                + f"; it has {', '.join(self.columns[:MOST_TOLD])}{more}"
            )  # fmt: skip
        return found


def kind_of(dtype: pl.DataType) -> Kind:  # noqa: PLR0911 - a table
    """Of a column that the engine has typed."""
    if dtype.is_integer():
        return Kind.INTEGER
    if dtype.is_numeric():
        return Kind.NUMBER
    if dtype == pl.Boolean:
        return Kind.BOOLEAN
    if dtype == pl.Date:
        return Kind.DATE
    if dtype == pl.Datetime:
        return Kind.TIME
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return Kind.TEXT
    return Kind.NESTED if dtype.is_nested() else Kind.OTHER
