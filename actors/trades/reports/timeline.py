"""The steps of a period for a chart: a day each, or where these would be too many, a month each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from actors.trades.reports.period import DAY, Period, month

MOST_DAYS: Final = 62  # bars that can be told apart


@dataclass(frozen=True, slots=True)
class Step:
    """From the first day to the last one, both with it."""

    label: str
    first: date
    last: date

    def has(self, day: date) -> bool:
        return self.first <= day <= self.last


def by_days(period: Period) -> bool:
    return len(period.days) <= MOST_DAYS


def steps(period: Period) -> list[Step]:
    """All of it, in order."""
    if by_days(period):
        return [Step(spoken(day), day, day) for day in period.days]
    return months(period.first, period.last)


def months(first: date, last: date) -> list[Step]:
    """The months that these days lie in, cut off at both ends."""
    found, begins = [], month(first, 0)
    while begins <= last:
        found.append(Step(f"{begins:%b %Y}", max(begins, first), min(month(begins, 1) - DAY, last)))
        begins = month(begins, 1)
    return found


def spoken(day: date) -> str:
    return f"{day.day} {day:%b}"
