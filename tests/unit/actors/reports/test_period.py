"""A date range means the same days to everybody, in every time zone, on every day of the year."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest

from actors.trades.reports.period import Period, Word, of_word

SATURDAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("word", "today", "first", "last"),
    [
        ("today", SATURDAY, "2026-11-21", "2026-11-21"),
        ("yesterday", date(2026, 3, 1), "2026-02-28", "2026-02-28"),
        ("last_7_days", SATURDAY, "2026-11-15", "2026-11-21"),
        ("last_30_days", SATURDAY, "2026-10-23", "2026-11-21"),
        ("last_90_days", SATURDAY, "2026-08-24", "2026-11-21"),
        ("this_week", SATURDAY, "2026-11-16", "2026-11-22"),
        ("last_week", SATURDAY, "2026-11-09", "2026-11-15"),
        ("last_week", date(2026, 11, 16), "2026-11-09", "2026-11-15"),
        ("this_month", date(2028, 2, 3), "2028-02-01", "2028-02-29"),
        ("last_month", date(2026, 1, 31), "2025-12-01", "2025-12-31"),
        ("last_month", date(2026, 3, 31), "2026-02-01", "2026-02-28"),
        ("this_quarter", SATURDAY, "2026-10-01", "2026-12-31"),
        ("last_quarter", date(2026, 2, 1), "2025-10-01", "2025-12-31"),
        ("this_year", SATURDAY, "2026-01-01", "2026-12-31"),
        ("last_year", SATURDAY, "2025-01-01", "2025-12-31"),
    ],
)
def test_a_word_means_these_days(word: Word, today: date, first: str, last: str) -> None:
    assert Period(date.fromisoformat(first), date.fromisoformat(last)) == of_word(word, today, "UTC")


def test_every_word_means_something() -> None:
    assert all(of_word(word, SATURDAY, "UTC").days for word in get_args(Word))


def test_a_day_is_as_long_as_the_clocks_of_its_place_say() -> None:
    bounds = Period(date(2026, 3, 28), date(2026, 3, 30), "Europe/Berlin").bounds

    assert datetime(2026, 3, 27, 23, tzinfo=UTC) == bounds[0]
    assert [timedelta(hours=hours) for hours in (24, 23, 24)] == [
        after - before for before, after in itertools.pairwise(bounds)
    ]


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        ("2026-03-03", "2026-03-03", "3 March 2026"),
        ("2026-03-01", "2026-03-30", "1–30 March 2026"),
        ("2026-02-01", "2026-02-28", "February 2026"),
        ("2026-07-01", "2026-09-30", "July – September 2026"),
        ("2025-11-01", "2026-01-31", "November 2025 – January 2026"),
        ("2026-01-01", "2026-12-31", "2026"),
        ("2026-02-28", "2026-03-06", "28 February – 6 March 2026"),
        ("2025-12-29", "2026-01-04", "29 December 2025 – 4 January 2026"),
    ],
)
def test_a_period_is_told_as_people_say_it(first: str, last: str, told: str) -> None:
    assert told == Period(date.fromisoformat(first), date.fromisoformat(last)).told


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2026-02-01", "2026-02-28", ("2025-02-01", "2025-02-28")),
        ("2024-02-29", "2024-03-06", ("2023-02-28", "2023-03-06")),
        ("2025-02-01", "2025-02-28", ("2024-02-01", "2024-02-29")),
    ],
)
def test_a_year_before_are_the_same_days(first: str, last: str, before: tuple[str, str]) -> None:
    earlier = Period(date.fromisoformat(first), date.fromisoformat(last)).year_before

    assert before == (str(earlier.first), str(earlier.last))


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-28")),
        ("2026-01-01", "2026-03-31", ("2025-10-01", "2025-12-31")),
        ("2026-03-02", "2026-03-08", ("2026-02-23", "2026-03-01")),
        ("2026-03-01", "2026-03-30", ("2026-01-30", "2026-02-28")),
    ],
)
def test_whole_months_are_compared_with_whole_months(first: str, last: str, before: tuple[str, str]) -> None:
    earlier = Period(date.fromisoformat(first), date.fromisoformat(last)).before

    assert before == (str(earlier.first), str(earlier.last))
