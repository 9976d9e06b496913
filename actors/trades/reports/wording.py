"""How a value is shown to people: thousands apart, seconds as they are spoken of, nothing as a dash."""

from __future__ import annotations

import math
from datetime import date, datetime

from actors.trades.reports.report import Cell, Kind, Shown

NOTHING = "–"
MINUS = "−"  # as wide as a plus, unlike a hyphen


def shown(value: Cell, kind: Kind) -> str:
    """The value in words of its kind."""
    if isinstance(value, Shown):
        return shown(value.value, value.kind)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    if isinstance(value, datetime):
        return f"{value.day} {value:%b %Y, %H:%M}"
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    if isinstance(value, str):
        return value
    return _number(value, kind).replace("-", MINUS)


def _number(value: float, kind: Kind) -> str:
    match kind:
        case "seconds":
            return seconds(value)
        case "share":
            return f"{_short(100 * value)} %"
        case "change":
            return f"{value:+.1%}".replace("%", " %") if round(value, 3) else "0.0 %"
        case "money":
            return f"{value:,.2f}"
        case "count" | "round":
            return f"{value:,.0f}"
        case _:
            return f"{value:,.{0 if value == round(value) else 2}f}"


def _short(percent: float) -> str:
    """One digit behind the point; never 100 for what is not all, nor 0 for a little."""
    if 0 < percent < 0.1:
        return "<0.1"
    return f"{min(percent, 99.9) if percent < 100 else percent:.1f}"


def seconds(value: float) -> str:
    """4 ms, 0.25 s, 12.3 s, 3 min 20 s, 2 h 05 min."""
    if value < 0.0995:
        return f"{value * 1000:.0f} ms" if value >= 0.00095 or value == 0 else "<1 ms"
    if value < 0.995:
        return f"{value:.2f} s"
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(value / 60), 60)
    return f"{hours:,} h {minutes:02d} min"


def short_number(value: float, _: object = None) -> str:
    """Of an axis: 950, 1.2 k, 3.4 M."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.1f}".removesuffix(".0").replace("-", MINUS) + letter
    return f"{value:g}".replace("-", MINUS)
