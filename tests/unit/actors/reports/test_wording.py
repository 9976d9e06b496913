"""A number reads as people write it, and never says more than it knows."""

from __future__ import annotations

import math
from datetime import date, datetime

import pytest

from actors.trades.reports.report import Cell, Kind
from actors.trades.reports.wording import short_number, shown


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (1234567, "count", "1,234,567"), (0, "count", "0"), (-1200, "count", "−1,200"),
        (1234.5, "money", "1,234.50"), (-0.5, "money", "−0.50"),
        (1.0, "share", "100.0 %"), (0.99999, "share", "99.9 %"), (0.0001, "share", "<0.1 %"), (0.0, "share", "0.0 %"),
        (0.125, "change", "+12.5 %"), (-0.125, "change", "−12.5 %"), (None, "change", "–"),
        (0.0, "seconds", "0 ms"), (0.0001, "seconds", "<1 ms"), (0.004, "seconds", "4 ms"),
        (0.25, "seconds", "0.25 s"), (0.999, "seconds", "1.0 s"), (12.34, "seconds", "12.3 s"),
        (59.97, "seconds", "1 min 00 s"), (200, "seconds", "3 min 20 s"), (3599.6, "seconds", "1 h 00 min"),
        (7500, "seconds", "2 h 05 min"),
        (math.nan, "number", "–"), (math.inf, "number", "–"), (3.0, "number", "3"), (3.14159, "number", "3.14"),
        ("<b>", "text", "<b>"), (date(2026, 3, 1), "day", "1 Mar 2026"),
        (datetime(2026, 3, 1, 9, 5), "moment", "1 Mar 2026, 09:05"),
    ],
)  # fmt: skip
def test_a_value_is_shown(value: Cell, kind: Kind, said: str) -> None:
    assert said == shown(value, kind)


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (950, "950"), (1200, "1.2 k"), (2_000_000, "2 M"), (-1500, "−1.5 k"), (0.5, "0.5")]
)
def test_an_axis_is_short(value: float, said: str) -> None:
    assert said == short_number(value)
