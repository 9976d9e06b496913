"""The financial report: what came in, what it cost and what was left, beside the period and the year before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from actors.trades.reports.compared import against, change, moved
from actors.trades.reports.measures import by_column, by_steps, detail, earning, in_currency, notes, over
from actors.trades.reports.orders import Orders, Sums
from actors.trades.reports.period import Period, month
from actors.trades.reports.report import Bars, Cell, Column, Figure, Kind, Report, Shown, Table
from actors.trades.reports.timeline import by_days, months, steps
from actors.trades.reports.wording import shown

BACK: Final = 12  # months in the chart that shows where the period stands

# The lines of the statement: how each follows, how it is shown, what the dataset must have.
LINES: Final[tuple[tuple[str, Callable[[Sums], float | None], Kind, str], ...]] = (
    ("Revenue", lambda sums: sums.amount, "money", "amount"),
    ("Cost of goods sold", lambda sums: sums.cost, "money", "cost"),
    ("Gross profit", lambda sums: sums.profit, "money", "cost"),
    ("Gross margin", lambda sums: sums.margin, "share", "cost"),
    ("Orders", lambda sums: sums.orders, "count", "amount"),
    ("Revenue per order", lambda sums: sums.each, "money", "amount"),
    ("Units sold", lambda sums: sums.units, "count", "quantity"),
)


def report(orders: Orders, period: Period, made_at: datetime, source: str, currency: str) -> Report:
    """Of the orders of a dataset."""
    now, then, year = (orders.within(one) for one in (period, period.before, period.year_before))
    measures = earning(now.sums, currency)
    tables = [by_column(now, then, part, measures, most=20) for part in ("product", "region") if part in now.has]
    parts = [*tables, by_steps(now, period, steps(period), measures)]
    return Report(
        kicker="Financial report",
        title="Financial summary",
        about=f"Revenue, cost and gross profit of {source}.",
        period=period,
        made_at=made_at,
        figures=_figures(now.sums, then.sums, now.has, period, currency),
        charts=_charts(orders, now, period, currency) if now.sums.orders else (),
        tables=[_statement(now, then, year, period, currency), *(parts if now.sums.orders else ())],
        detail=detail(now),
        highlights=_highlights(now, then, year, period),
        notes=[*notes(orders, period, made_at), *_limits(now.has)],
    )


def looked_at(period: Period) -> tuple[date, date]:
    """From the first to the last day that such a report looks at."""
    return min(period.year_before.first, period.before.first, month(period.last, 1 - BACK)), period.last


def _figures(now: Sums, then: Sums, has: frozenset[str], period: Period, currency: str) -> list[Figure]:
    def figure(label: str, value: float | None, before: float | None, kind: Kind) -> Figure:
        return Figure(label, value, kind, against(value, before, period.before))

    found = [figure(in_currency("Revenue", currency), now.amount, then.amount, "round")]
    if "cost" not in has:
        return [*found, figure("Orders", now.orders, then.orders, "count")]
    return [
        *found,
        figure(in_currency("Gross profit", currency), now.profit, then.profit, "round"),
        Figure("Gross margin", now.margin, "share", f"{shown(then.margin, 'share')} in {period.before.told}"),
    ]


def _statement(now: Orders, then: Orders, year: Orders, period: Period, currency: str) -> Table:
    """Line by line, what they come to and how that has changed; a share changes by points, which are not told."""
    rows: list[list[Cell]] = []
    for name, of, kind, needs in LINES:
        if needs in now.has:
            found = [of(one.sums) for one in (now, then, year)]
            changes = [None if kind == "share" else change(found[0], earlier) for earlier in found[1:]]
            rows.append(
                [name, *(Shown(cell, kind) for cell in found[:2]), changes[0], Shown(found[2], kind), changes[1]]
            )
    columns = [Column(in_currency("Item", currency)), Column(period.told, "money")]
    columns += [Column(period.before.told, "money"), Column("Change", "change")]
    columns += [Column(period.year_before.told, "money"), Column("Change", "change")]
    return Table("Statement", columns, rows)


def _charts(orders: Orders, now: Orders, period: Period, currency: str) -> list[Bars]:
    year = months(month(period.last, 1 - BACK), period.last)
    drawn = [_stack(in_currency("Revenue, twelve months", currency), [step.label for step in year], over(orders, year),
                    now.has)]  # fmt: skip
    when = steps(period)
    title = f"Revenue by {'day' if by_days(period) else 'month'}"
    return [*drawn, _stack(in_currency(title, currency), [step.label for step in when], over(now, when), now.has)]


def _stack(title: str, places: list[str], sums: list[Sums], has: frozenset[str]) -> Bars:
    if "cost" not in has or any(one.profit < 0 for one in sums):  # a loss cannot stand on its cost
        return Bars(title, places, [("Revenue", "first", [one.amount for one in sums])], "round")
    cost, profit = [one.cost for one in sums], [one.profit for one in sums]
    return Bars(title, places, [("Cost of goods", "muted", cost), ("Gross profit", "first", profit)], "round")


def _highlights(now: Orders, then: Orders, year: Orders, period: Period) -> list[str]:
    sums = now.sums
    if not sums.orders:
        return [f"There was no order in this period, {period.told}."]
    told = []
    for earlier, before in ((then, period.before), (year, period.year_before)):
        if (changed := change(sums.amount, earlier.sums.amount)) is not None:
            told.append(f"Revenue {moved(changed)} against {before.told}.")
    if "cost" in now.has and sums.margin is not None:
        told.append(f"Of each 100 of revenue {shown(100 * sums.margin, 'number')} were left as gross profit.")
    if "cost" in now.has and "product" in now.has and sums.profit > 0:
        names, best = max(now.by("product"), key=lambda found: found[1].profit)
        told.append(f"{names[0]} earned most, {shown(best.profit / sums.profit, 'share')} of the gross profit.")
    return told


def _limits(has: frozenset[str]) -> list[str]:
    known = "" if "cost" in has else " The dataset has no cost, so nothing is said of profit."
    return [f"Gross profit is revenue less the cost of the goods; wages, rent and taxes are not in it.{known}"]
