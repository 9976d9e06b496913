"""Which days a report is of: a date range in words or with dates, in a time zone, as of a moment.

A week begins on Monday.  `last_week`, `last_month` and the like are whole ones that are over; `last_7_days` and the
like end with today, as far as it is.  The moment is the due time of the schedule that made the job, if one did: a
report of Monday that runs on Tuesday, or is made up for months later, is still of its own week.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

from wire.times.zones import zone

Word = Literal[
    "today", "yesterday", "last_7_days", "last_30_days", "last_90_days", "this_week", "last_week", "this_month",
    "last_month", "this_quarter", "last_quarter", "this_year", "last_year",
]  # fmt: skip
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last one, both with it."""

    first: date
    last: date
    time_zone: str = "UTC"

    @property
    def days(self) -> list[date]:
        return [self.first + DAY * number for number in range((self.last - self.first).days + 1)]

    @property
    def bounds(self) -> list[datetime]:
        """The instants at which its days begin, and the one at which the last one ends."""
        rules = zone(self.time_zone)
        midnights = (datetime(day.year, day.month, day.day, tzinfo=rules) for day in [*self.days, self.last + DAY])
        return [midnight.astimezone(UTC) for midnight in midnights]

    @property
    def told(self) -> str:
        """As people say it: 3 March 2026, 2–8 March 2026, 28 February – 6 March 2026, March 2026, 2026."""
        first, last = self.first, self.last
        if self.whole_months:
            return _of_months(first, last)
        if first == last:
            return f"{first.day} {first:%B %Y}"
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{last.day} {last:%B %Y}"
        year = "" if first.year == last.year else f" {first.year}"
        return f"{first.day} {first:%B}{year} – {last.day} {last:%B %Y}"

    @property
    def before(self) -> Period:
        """As many days that end where this one begins; of whole months, as many months."""
        if self.whole_months:
            return Period(month(self.first, -self.count_of_months), self.first - DAY, self.time_zone)
        return Period(self.first - DAY * len(self.days), self.first - DAY, self.time_zone)

    @property
    def year_before(self) -> Period:
        """The same days a year before; the 29th of February counts as the 28th."""
        return Period(_year_before(self.first), _year_before(self.last), self.time_zone)

    @property
    def whole_months(self) -> bool:
        return self.first.day == 1 and (self.last + DAY).day == 1

    @property
    def count_of_months(self) -> int:
        return (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1


def _of_months(first: date, last: date) -> str:
    if (first.month, last.month, first.year) == (1, 12, last.year):
        return f"{first.year}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%B %Y}"
    return f"{first:%B}{'' if first.year == last.year else f' {first.year}'} – {last:%B %Y}"


def _year_before(day: date) -> date:
    if day.month == 2 and (day + DAY).month == 3:  # the last day of a February is the last of another
        return date(day.year - 1, 3, 1) - DAY
    return day.replace(year=day.year - 1)


def of_word(word: Word, today: date, time_zone: str) -> Period:
    """The days that a word means on this day."""
    return Period(*_MEANS[word](today), time_zone)


def month(day: date, further: int) -> date:
    """The first day of the month that many months after the one of this day."""
    count = day.year * 12 + day.month - 1 + further
    return date(count // 12, count % 12 + 1, 1)


def _days(count: int) -> Callable[[date], tuple[date, date]]:
    return lambda today: (today - DAY * (count - 1), today)


def _weeks(back: int) -> Callable[[date], tuple[date, date]]:
    def means(today: date) -> tuple[date, date]:
        monday = today - DAY * today.weekday() - DAY * 7 * back
        return monday, monday + DAY * 6

    return means


def _months(count: int, back: int) -> Callable[[date], tuple[date, date]]:
    """Of a calendar that is divided into as many months: 1, a quarter's 3, a year's 12."""

    def means(today: date) -> tuple[date, date]:
        begins = month(today, -((today.month - 1) % count) - count * back)
        return begins, month(begins, count) - DAY

    return means


_MEANS: Final[dict[Word, Callable[[date], tuple[date, date]]]] = {
    "today": _days(1),
    "yesterday": lambda today: (today - DAY, today - DAY),
    "last_7_days": _days(7),
    "last_30_days": _days(30),
    "last_90_days": _days(90),
    "this_week": _weeks(0),
    "last_week": _weeks(1),
    "this_month": _months(1, 0),
    "last_month": _months(1, 1),
    "this_quarter": _months(3, 0),
    "last_quarter": _months(3, 1),
    "this_year": _months(12, 0),
    "last_year": _months(12, 1),
}
