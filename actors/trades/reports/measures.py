"""The columns of a table of orders: what each is called, how it is shown, and how it follows from some orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from actors.trades.reports.compared import change
from actors.trades.reports.orders import Orders, Sums
from actors.trades.reports.period import Period
from actors.trades.reports.report import Cell, Column, Table
from actors.trades.reports.timeline import Step, by_days

EMPTY = "There was no order in this period."


@dataclass(frozen=True, slots=True)
class Measure:
    column: Column
    of: Callable[[Sums], Cell]
    needs: str = "amount"  # the column that the dataset must have


def selling(whole: Sums, currency: str) -> list[Measure]:
    """What is asked about sales."""
    return [
        Measure(Column("Orders", "count"), lambda sums: sums.orders),
        Measure(Column("Units", "count"), lambda sums: sums.units, "quantity"),
        Measure(Column(in_currency("Revenue", currency), "money"), lambda sums: sums.amount),
        Measure(Column("Share", "share"), lambda sums: sums.amount / whole.amount if whole.amount else None),
        Measure(Column("Margin", "share"), lambda sums: sums.margin, "cost"),
    ]


def earning(whole: Sums, currency: str) -> list[Measure]:
    """What is asked about money."""
    return [
        Measure(Column(in_currency("Revenue", currency), "money"), lambda sums: sums.amount),
        Measure(Column("Cost of goods", "money"), lambda sums: sums.cost, "cost"),
        Measure(Column("Gross profit", "money"), lambda sums: sums.profit, "cost"),
        Measure(Column("Margin", "share"), lambda sums: sums.margin, "cost"),
        Measure(Column("Of all profit", "share"), lambda sums: sums.profit / whole.profit if whole.profit else None,
                "cost"),
    ]  # fmt: skip


def by_column(now: Orders, then: Orders, column: str, measures: Iterable[Measure], *, most: int = 40) -> Table:
    """One row for each that stands in the column, and how its revenue has changed."""
    known = [measure for measure in measures if measure.needs in now.has]
    before = {names[0]: sums for names, sums in then.by(column)}

    def row(name: Cell, sums: Sums, earlier: Sums) -> list[Cell]:
        return [name, *(measure.of(sums) for measure in known), change(sums.amount, earlier.amount)]

    rows = [row(names[0], sums, before.get(names[0], Sums())) for names, sums in now.by(column)]
    columns = [Column(column.capitalize()), *(measure.column for measure in known), Column("Change", "change")]
    note = f"{len(rows) - most} smaller ones are left out." if len(rows) > most else ""
    return Table(f"By {column}", columns, rows[:most], row("All", now.sums, then.sums), note=note, empty=EMPTY)


def by_steps(now: Orders, period: Period, steps: Sequence[Step], measures: Iterable[Measure]) -> Table:
    """One row a day or a month that had orders."""
    known = [measure for measure in measures if measure.needs in now.has]
    found = [(step.label, sums) for step, sums in zip(steps, over(now, steps), strict=True) if sums.orders]
    rows: list[list[Cell]] = [[label, *(measure.of(sums) for measure in known)] for label, sums in found]
    name = "Day" if by_days(period) else "Month"
    total: list[Cell] = ["All", *(measure.of(now.sums) for measure in known)]
    columns = [Column(name, "word"), *(measure.column for measure in known)]
    return Table(f"By {name.lower()}", columns, rows, total, most=len(rows), empty=EMPTY)


def over(orders: Orders, steps: Sequence[Step]) -> list[Sums]:
    """What the orders of each of these steps come to."""
    days = {names[0]: sums for names, sums in orders.by("day")}
    return [
        added(sums for day, sums in days.items() if isinstance(day, date) and step.first <= day <= step.last)
        for step in steps
    ]


def added(all_of_them: Iterable[Sums]) -> Sums:
    orders, units, amount, cost = 0, 0.0, 0.0, 0.0
    for sums in all_of_them:
        orders, units = orders + sums.orders, units + sums.units
        amount, cost = amount + sums.amount, cost + sums.cost
    return Sums(orders, units, amount, cost)


def detail(orders: Orders) -> Table:
    """For the CSV: what the dataset tells of each day, product and region, to the cent."""
    by = ["day", *(name for name in ("product", "region") if name in orders.has)]
    numbers = [name for name in ("quantity", "amount", "cost") if name in orders.has]
    rows: list[list[Cell]] = [
        [*names, sums.orders, *(round(_of(sums, name), 2) for name in numbers)]
        for names, sums in sorted(orders.by(*by), key=lambda row: tuple(map(str, row[0])))
    ]
    columns = [Column(name) for name in by] + [Column(name, "number") for name in ("orders", *numbers)]
    return Table("Orders", columns, rows)


def _of(sums: Sums, name: str) -> float:
    return {"quantity": sums.units, "amount": sums.amount, "cost": sums.cost}[name]


def in_currency(label: str, currency: str) -> str:
    return f"{label} ({currency})" if currency else label


def notes(orders: Orders, period: Period, made_at: datetime) -> list[str]:
    """What a reader must know to believe the figures."""
    told = []
    if period.last >= made_at.date():
        told.append("The period was not over when the report was made, but is compared with a whole one.")
    if orders.unreadable:
        rows = "1 row" if orders.unreadable == 1 else f"{orders.unreadable:,} rows"
        told.append(f"Left out: {rows} of the dataset whose day or amount cannot be read.")
    return told
