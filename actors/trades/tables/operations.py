"""What is made of a table: restricted, aggregated, sorted and cut, as a question that is not answered yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import polars as pl

from actors.ends import PermanentError
from actors.trades.tables.asked import Parameters
from actors.trades.tables.conditions import Conditions
from actors.trades.tables.kinds import EXACT
from actors.trades.tables.table import FIGURES, Kind, Table

Make = Callable[[pl.Expr], pl.Expr]


def _sum(column: pl.Expr) -> pl.Expr:
    return column.sum()


MAKE: Final[Mapping[str, Make]] = {
    "sum": _sum,
    "mean": lambda column: column.mean(),
    "median": lambda column: column.median(),
    "std": lambda column: column.std(),
    "var": lambda column: column.var(),
    "min": lambda column: column.min(),
    "max": lambda column: column.max(),
    "count": lambda column: column.count(),
    "distinct": lambda column: column.drop_nulls().n_unique(),
    "first": lambda column: column.first(),
    "last": lambda column: column.last(),
}
ALSO: Final = {"average": "mean", "avg": "mean"}
OF_FIGURES: Final = frozenset({"sum", "mean", "median", "std", "var"})
PLAIN: Final = frozenset({*FIGURES, Kind.TEXT, Kind.DATE, Kind.TIME})
RECORDS: Final = "records"


def restricted(table: Table, frame: pl.LazyFrame, asked: Parameters) -> pl.LazyFrame:
    """Those of its records that are meant."""
    if not asked.where:
        return frame
    return frame.filter(Conditions(table, "payload.parameters.where").all_of(asked.where))


def aggregated(table: Table, frame: pl.LazyFrame, asked: Parameters) -> pl.LazyFrame:
    """A record of figures; with `by`, one for each group, in their order.

    Values are read before they are grouped: what is worked out within a group, the engine holds wholly in memory.
    """
    makes, names = (
        list(_makes(table, asked)) or [pl.len().alias(RECORDS)],
        table.known(asked.by, "payload.parameters.by"),
    )
    for name in names:
        if table.kinds[name] not in PLAIN:
            raise PermanentError(f"payload.parameters.by: {name!r} holds no plain values, so they make no groups")
    used = {name for make in makes for name in make.meta.root_names()}.union(names)
    exact = [name for name in table.places if EXACT + name in used]
    frame = table.read(frame, [name for name in table.columns if name in used or name in exact], exact)
    if not names:
        return frame.select(makes)
    return frame.group_by(names).agg(makes).sort(names, nulls_last=True)


def _makes(table: Table, asked: Parameters) -> Iterator[pl.Expr]:
    if asked.aggregations:
        for name, functions in asked.aggregations.items():
            for each in functions:
                yield _made(table, name, each, "payload.parameters.aggregations")
        return
    if asked.aggregation_type is None:
        if asked.by:
            return  # how many there are
        raise PermanentError(
            "payload.parameters.aggregation_type: is missing; sum, mean, min, max, count and others are known"
        )
    function = ALSO.get(asked.aggregation_type, str(asked.aggregation_type))
    fitting = FIGURES if function in OF_FIGURES else PLAIN
    named = asked.columns or [name for name, kind in table.kinds.items() if kind in fitting and name not in asked.by]
    if function in OF_FIGURES and not asked.columns:
        named = [name for name in named if table.kinds[name] is not Kind.BOOLEAN]
    if not named:
        columns = ", ".join(f"{name} ({kind})" for name, kind in list(table.kinds.items())[:40])
        raise PermanentError(
            f"payload.parameters.aggregation_type: {table.name} has no column to make a {function} of: {columns}"
        )
    for name in named:
        yield _made(table, name, function, "payload.parameters.columns")


def _made(table: Table, name: str, said: str, field: str) -> pl.Expr:
    function = ALSO.get(said, said)
    kind = table.kind(name, field)
    if kind not in (FIGURES if function in OF_FIGURES else PLAIN):
        raise PermanentError(f"{field}: there is no {function} of {name!r}, which is {kind}{table.why_text(name)}")
    column = pl.col(name)
    if function == "sum" and kind is Kind.INTEGER:
        column = column.cast(pl.Int128)  # the engine's sums of 64 bits run over without a word
    elif function == "sum" and name in table.places:
        column = pl.col(EXACT + name)
    return MAKE[function](column).alias(f"{name}_{function}")


def finished(frame: pl.LazyFrame, asked: Parameters, values: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    """The columns that are wanted, sorted and cut."""
    columns = frame.collect_schema().names()
    if asked.sort:
        orders = [_order(one, columns) for one in asked.sort]
        by = [values.get(name, pl.col(name)) for name, _ in orders]
        frame = frame.sort(by, descending=[down for _, down in orders], nulls_last=True, maintain_order=True)
    if asked.limit is not None:
        frame = frame.head(asked.limit)
    for name in asked.select:
        _in_outcome(name, columns, "payload.parameters.select")
    return frame.select(asked.select) if asked.select else frame


def _order(said: str, columns: list[str]) -> tuple[str, bool]:
    if said in columns or not said.startswith("-"):
        return _in_outcome(said, columns, "payload.parameters.sort"), False
    return _in_outcome(said[1:], columns, "payload.parameters.sort"), True


def _in_outcome(name: str, columns: list[str], field: str) -> str:
    if name not in columns:
        raise PermanentError(f"{field}: the outcome has no column {name!r}; it has {', '.join(columns[:40])}")
    return name
