"""The orders of a dataset: when, how much, and where it is known at what cost, of what, where and for whom.

Only the columns and days that a report is about are read.  A row whose day or amount cannot be read is left out, and
the report says how many those were; a dataset without such columns is refused with the names of those that it has.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl
from polars import selectors

from actors.ends import PermanentError
from actors.trades.reports.period import Period
from actors.trades.tables.faults import named
from actors.trades.tables.table import Table

# What a column means to us, and the names by which it is known elsewhere.
KNOWN_AS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("order_date", "date", "day", "ordered_at", "created_at", "timestamp"),
    "amount": ("amount", "revenue", "total", "sales", "price"),
    "cost": ("cost", "costs", "cogs", "cost_of_goods"),
    "quantity": ("quantity", "units", "qty"),
    "product": ("product", "item", "sku", "product_name"),
    "region": ("region", "country", "area", "market"),
    "customer": ("customer", "client", "customer_name", "customer_id"),
}
NEEDED: Final = ("day", "amount")
NUMBERS: Final = ("amount", "cost", "quantity")
NAMES: Final = ("product", "region", "customer")
NAMELESS: Final = "(none)"


@dataclass(frozen=True, slots=True)
class Sums:
    """What some orders come to; zero where the dataset does not say."""

    orders: int = 0
    units: float = 0.0
    amount: float = 0.0
    cost: float = 0.0

    @property
    def profit(self) -> float:
        return self.amount - self.cost

    @property
    def margin(self) -> float | None:
        return self.profit / self.amount if self.amount else None

    @property
    def each(self) -> float | None:
        return self.amount / self.orders if self.orders else None


@dataclass(frozen=True, slots=True)
class Orders:
    rows: pl.DataFrame
    has: frozenset[str]  # which of our columns the dataset has
    unreadable: int

    def within(self, period: Period) -> Orders:
        import polars as pl  # noqa: PLC0415 - heavy: only who reads a dataset loads it

        return Orders(self.rows.filter(pl.col("day").is_between(period.first, period.last)), self.has, self.unreadable)

    @property
    def sums(self) -> Sums:
        return _sums(self.rows.select(_summed()).row(0, named=True))

    def by(self, *columns: str) -> list[tuple[tuple[str | date, ...], Sums]]:
        """What they come to for each that stands in these columns, the largest amount first."""
        found = self.rows.group_by(columns).agg(_summed()).sort(["amount", *columns], descending=[True, *_no(columns)])
        return [(tuple(row[name] for name in columns), _sums(row)) for row in found.iter_rows(named=True)]

    def different(self, column: str) -> int:
        return self.rows[column].n_unique() if len(self.rows) else 0


def read(table: Table, said: Mapping[str, str], first: date, last: date) -> Orders:
    """The orders of these days; `said` says which column is what, where its name does not."""
    columns = _columns(table.columns, said)
    table.check(columns.values())
    with named(f"{table.field}: {table.name}", table.fault):
        taken = table.frame.select(pl.col(theirs).alias(ours) for ours, theirs in columns.items())
        whole = taken.select(_converted(taken, columns)).collect(engine="streaming")
    readable = whole.drop_nulls(NEEDED)
    rows = readable.filter(pl.col("day").is_between(first, last))
    return Orders(rows, frozenset(columns), len(whole) - len(readable))


def _columns(there: Sequence[str], said: Mapping[str, str]) -> dict[str, str]:
    """Which of its columns is what."""
    found: dict[str, str] = {}
    lower = {name.strip().lower(): name for name in reversed(there)}
    for ours, names in KNOWN_AS.items():
        if ours in said:
            if said[ours] not in there:
                raise PermanentError(f"payload.columns.{ours}: {_unknown(said[ours], there)}")
            found[ours] = said[ours]
        elif near := next((lower[name] for name in names if name in lower), None):
            found[ours] = near
    for ours in NEEDED:
        if ours not in found:
            raise PermanentError(
                f"payload.columns.{ours}: say which column it is; the dataset has {_listed(there)}, "
                f"and none is called {' or '.join(KNOWN_AS[ours][:3])}"
            )
    return found


def _unknown(name: str, there: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, there, n=1)
    return f"there is no column {name[:80]!r}" + (f"; {near[0]!r}?" if near else f"; there are {_listed(there)}")


def _listed(there: Sequence[str], most: int = 20) -> str:
    return ", ".join(there[:most]) + (f" and {len(there) - most} more" if len(there) > most else "")


def _converted(table: pl.LazyFrame, columns: Mapping[str, str]) -> list[pl.Expr]:
    """Each as what it is; null where it cannot be."""
    kinds = table.collect_schema()
    told = [_day(pl.col("day"), kinds["day"])]
    told += [pl.col(name).cast(pl.Float64, strict=False) for name in NUMBERS if name in columns]
    told += [pl.col(name).cast(pl.String, strict=False).fill_null(NAMELESS) for name in NAMES if name in columns]
    return told


def _day(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind == pl.String:  # a date, or a date and time of which the date is wanted
        return column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return column.cast(pl.Date, strict=False)


def _summed() -> list[pl.Expr]:
    return [pl.len().alias("orders"), selectors.by_name(*NUMBERS, require_all=False).sum()]


def _sums(row: Mapping[str, float]) -> Sums:
    return Sums(int(row["orders"]), row.get("quantity", 0.0), row.get("amount", 0.0), row.get("cost", 0.0))


def _no(columns: Sequence[str]) -> list[bool]:
    return [False] * len(columns)
