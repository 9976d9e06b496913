"""The report of sales: how much was sold in a period, of what, where and to whom, beside the period before."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from actors.trades.reports.compared import against, change, moved
from actors.trades.reports.measures import by_column, by_steps, detail, in_currency, notes, over, selling
from actors.trades.reports.orders import Orders
from actors.trades.reports.period import Period
from actors.trades.reports.report import Bars, Figure, Kind, Report
from actors.trades.reports.timeline import by_days, spoken, steps
from actors.trades.reports.wording import shown

MOST_BARS: Final = 10
PARTS: Final = ("product", "region", "customer")


def report(orders: Orders, period: Period, made_at: datetime, source: str, currency: str) -> Report:
    """Of the orders of a dataset."""
    now, then = orders.within(period), orders.within(period.before)
    measures = selling(now.sums, currency)
    tables = [by_column(now, then, part, measures, most=20) for part in PARTS if part in now.has]
    return Report(
        kicker="Sales report",
        title="Sales",
        about=f"Orders of {source}, beside those of {period.before.told}.",
        period=period,
        made_at=made_at,
        figures=_figures(now, then, period, currency),
        charts=_charts(now, then, period, currency) if now.sums.orders else (),
        tables=[*tables, by_steps(now, period, steps(period), measures)] if now.sums.orders else (),
        detail=detail(now),
        highlights=_highlights(now, then, period),
        notes=notes(orders, period, made_at),
    )


def looked_at(period: Period) -> tuple[date, date]:
    """From the first to the last day that such a report looks at."""
    return period.before.first, period.last


def _figures(now: Orders, then: Orders, period: Period, currency: str) -> list[Figure]:
    def figure(label: str, value: float | None, before: float | None, kind: Kind = "count") -> Figure:
        return Figure(label, value, kind, against(value, before, period.before))

    has, sums, earlier = now.has, now.sums, then.sums
    found = [
        figure(in_currency("Revenue", currency), sums.amount, earlier.amount, "round"),
        figure("Orders", sums.orders, earlier.orders),
        figure(in_currency("Average order", currency), sums.each, earlier.each, "money"),
    ]
    found += [figure("Units sold", sums.units, earlier.units)] if "quantity" in has else []
    if "customer" in has:
        found.append(figure("Customers", now.different("customer"), then.different("customer")))
    if "cost" in has:
        found.append(Figure("Gross margin", sums.margin, "share", f"{shown(earlier.margin, 'share')} before"))
    return found


def _highlights(now: Orders, then: Orders, period: Period) -> list[str]:
    sums = now.sums
    if not sums.orders:
        return [f"There was no order in this period, {period.told}."]
    told = []
    if (changed := change(sums.amount, then.sums.amount)) is not None:
        told.append(f"Revenue {moved(changed)} against {period.before.told}.")
    for part in PARTS:
        if part in now.has and sums.amount:
            (name, *_), best = now.by(part)[0]
            told.append(f"The strongest {part} was {name} with {shown(best.amount / sums.amount, 'share')} of revenue.")
    (day, *_), best = now.by("day")[0]
    if isinstance(day, date) and len(period.days) > 1:
        orders = "1 order" if best.orders == 1 else f"{best.orders:,} orders"
        told.append(f"The best day was {spoken(day)} with {orders} for {shown(best.amount, 'money')}.")
    return told


def _charts(now: Orders, then: Orders, period: Period, currency: str) -> list[Bars]:
    name, when = in_currency("Revenue", currency), steps(period)
    places, values = [step.label for step in when], [sums.amount for sums in over(now, when)]
    earlier = [sums.amount for sums in over(then, steps(period.before))]
    line = (period.before.told, earlier[: len(values)]) if any(earlier) and len(values) > 1 else None
    drawn = [
        Bars(
            f"{name} by {'day' if by_days(period) else 'month'}",
            places,
            [(period.told, "first", values)],
            "round",
            line=line,
        )
    ]
    for part in PARTS[:2]:
        if part in now.has:
            found = now.by(part)[:MOST_BARS]
            series = [("Revenue", "first", [sums.amount for _, sums in found])]
            drawn.append(Bars(f"{name} by {part}", [str(names[0]) for names, _ in found], series, "round", lying=True))
    return drawn
