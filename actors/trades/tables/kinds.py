"""Find out what the columns of a CSV file hold, which says nothing about it: by all of their values.

A guess by the first lines would break on the first price with a comma in line 10,001.  What the first records suggest
is tried on all the others, in one pass; where it does not hold, the next weaker kind is taken, and text holds always.
Figures with leading zeros are text: they are post codes, telephone and article numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from actors.trades.tables.table import Kind

LOOKED_AT: Final = 1_000
TRIED: Final = (Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIME)  # the first that fits is taken
ZEROS: Final = r"^[+-]?0\d"
TIME: Final = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?$"
RECORDS: Final = "records"
VALUES: Final = "values"
PLACES: Final = "places"
WRITTEN: Final = "written out"
EXACT: Final = "\x01exact "
WRITTEN_OUT: Final = r"^-?\d{1,18}(\.\d{1,9})?$"  # so that a billion of them have room in 38 digits

Tried = Mapping[str, Sequence[Kind]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at all records has shown."""

    kinds: dict[str, Kind]
    places: dict[str, int]  # after the point, of columns whose numbers are all written out; as prices are
    records: int


def found(texts: pl.LazyFrame, columns: Sequence[str], missing: Sequence[str]) -> Found:
    """What these columns of texts hold."""
    if not columns:
        return Found({}, {}, texts.select(pl.len()).collect(engine="streaming").item())
    head = _asked(texts.head(LOOKED_AT), dict.fromkeys(columns, TRIED), missing)
    likely = {
        name: [kind for kind in TRIED if head[f"{kind} {number}"] == head[f"{VALUES} {number}"]]
        for number, name in enumerate(columns)
    }
    said = _asked(texts, likely, missing)
    kinds, places = dict.fromkeys(columns, Kind.TEXT), dict[str, int]()
    for number, (name, tried) in enumerate(likely.items()):
        values = said[f"{VALUES} {number}"]
        holding = [kind for kind in tried if values and said[f"{kind} {number}"] == values]
        kinds[name] = holding[0] if holding else Kind.TEXT
        if kinds[name] is Kind.NUMBER and said[f"{WRITTEN} {number}"] == values:
            places[name] = said[f"{PLACES} {number}"] or 0
    return Found(kinds, places, said[RECORDS])


def read(
    texts: pl.LazyFrame, kinds: Mapping[str, Kind], missing: Sequence[str], places: Mapping[str, int]
) -> pl.LazyFrame:
    """These columns as what they hold, and beside those with `places` the same as decimals: their sum is to the cent.

    A step at a time: of one long expression the engine holds every part, for all texts of a piece.
    """
    bare = _bare(texts, [name for name, kind in kinds.items() if kind is not Kind.TEXT], missing)
    if missing:
        bare = bare.with_columns(_without(name, missing) for name, kind in kinds.items() if kind is Kind.TEXT)
    exact = [
        pl.col(name).cast(pl.Decimal(38, after), strict=False).alias(EXACT + name) for name, after in places.items()
    ]
    return bare.with_columns(*(_read(pl.col(name), kind).alias(name) for name, kind in kinds.items()), *exact)


def typed(name: str, kind: Kind, missing: Sequence[str]) -> pl.Expr:
    """One column as what it holds, for a condition."""
    if kind is Kind.TEXT:
        return _without(name, missing) if missing else pl.col(name)
    bare = pl.col(name).str.strip_chars()
    return _read(pl.when(bare.is_in(["", *missing])).then(None).otherwise(bare), kind).alias(name)


def _bare(texts: pl.LazyFrame, names: Sequence[str], missing: Sequence[str]) -> pl.LazyFrame:
    """Without the blanks around them; None if nothing is left."""
    stripped = texts.with_columns(pl.col(name).str.strip_chars() for name in names)
    return stripped.with_columns(_without(name, ["", *missing]) for name in names)


def _without(name: str, missing: Sequence[str]) -> pl.Expr:
    text = pl.col(name)
    absent = text == missing[0] if len(missing) == 1 else text.is_in(missing)
    return pl.when(absent).then(None).otherwise(text).alias(name)


def _asked(texts: pl.LazyFrame, tried: Tried, missing: Sequence[str]) -> dict[str, Any]:
    """How many values a column has, and how many of these each kind holds for; in one pass, see `read`."""
    bare, made, asked = (
        _bare(texts.select(list(tried)), list(tried), missing),
        list[pl.Expr](),
        [pl.len().alias(RECORDS)],
    )
    for number, (name, kinds) in enumerate(tried.items()):
        text = pl.col(name)
        made += [_fits(text, kind).alias(f"{kind} {number}") for kind in kinds]
        asked += [pl.col(f"{kind} {number}").sum() for kind in kinds]
        asked.append(text.count().alias(f"{VALUES} {number}"))
        if Kind.NUMBER in kinds:
            made.append(text.str.contains(WRITTEN_OUT).alias(f"{WRITTEN} {number}"))
            made.append(text.str.extract(r"\.(\d+)$", 1).str.len_bytes().alias(f"{PLACES} {number}"))
            asked += [pl.col(f"{WRITTEN} {number}").sum(), pl.col(f"{PLACES} {number}").max()]
    return bare.with_columns(made).select(asked).collect(engine="streaming").row(0, named=True)


def _fits(text: pl.Expr, kind: Kind) -> pl.Expr:
    fits = _read(text, kind).is_not_null()
    if kind in (Kind.INTEGER, Kind.NUMBER):
        return fits & ~text.str.contains(ZEROS)
    return fits & text.str.contains(TIME) if kind is Kind.TIME else fits


def _read(value: pl.Expr, kind: Kind) -> pl.Expr:
    match kind:
        case Kind.INTEGER:
            return value.cast(pl.Int64, strict=False)
        case Kind.NUMBER:
            return value.cast(pl.Float64, strict=False)
        case Kind.BOOLEAN:
            small = value.str.to_lowercase()
            return pl.when(small.is_in(["true", "false"])).then(small == "true").otherwise(None)
        case Kind.DATE:
            return value.str.to_date("%Y-%m-%d", strict=False)
        case Kind.TIME:
            return value.str.replace("T", " ", literal=True).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False)
        case _:
            return value
