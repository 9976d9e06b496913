"""An expression is read as Vixie's cron reads it, or refused at once by name."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from wire.errors import Refused
from wire.times.cron import read
from wire.times.spec import parse

WORKDAYS = frozenset({1, 2, 3, 4, 5})


@pytest.mark.parametrize(
    ("weekdays", "numbers"),
    [
        ("*", range(7)),
        ("0", [0]),
        ("7", [0]),
        ("0-7", range(7)),
        ("5-7", [5, 6, 0]),
        ("SUN", [0]),
        ("fri-sun", [5, 6, 0]),
        ("Mon-Fri", WORKDAYS),
        ("mon-fri/2", [1, 3, 5]),
        ("*/2", [0, 2, 4, 6]),
        ("1/2", [1, 3, 5, 0]),
        ("sat,sun,3", [6, 0, 3]),
    ],
)
def test_weekdays(weekdays: str, numbers: list[int]) -> None:
    assert frozenset(numbers) == read(f"0 9 * * {weekdays}").weekdays


@pytest.mark.parametrize(
    ("minutes", "numbers"),
    [
        ("*/15", [0, 15, 30, 45]),
        ("*/45", [0, 45]),
        ("*/90", [0]),
        ("5/10", [5, 15, 25, 35, 45, 55]),
        ("5-5/10", [5]),
        ("10-20/5,07,59", [10, 15, 20, 7, 59]),
    ],
)
def test_steps_ranges_and_lists(minutes: str, numbers: list[int]) -> None:
    assert frozenset(numbers) == read(f"{minutes} * * * *").minutes


def test_a_sixth_field_stands_first_and_is_the_second() -> None:
    assert frozenset({0}) == read("1 2 3 4 5").seconds
    assert (frozenset({30}), frozenset({1})) == (read("30 1 2 3 4 5").seconds, read("30 1 2 3 4 5").minutes)


@pytest.mark.parametrize(
    ("nickname", "text"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * sun"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 jan *"),
        ("@Annually", "0 0 1 1 *"),
    ],
)
def test_nicknames(nickname: str, text: str) -> None:
    short, long = read(nickname), read(text)

    assert (long.minutes, long.hours, long.days) == (short.minutes, short.hours, short.days)
    assert (long.months, long.weekdays) == (short.months, short.weekdays)


@pytest.mark.parametrize(
    ("days", "either"), [("13 * 5", True), ("* * 5", False), ("13 * *", False), ("*/2 * 1", False)]
)
def test_either_day_is_enough_where_neither_field_begins_with_a_star(days: str, either: bool) -> None:
    assert either == read(f"0 9 {days}").either_day


def test_the_text_is_kept_with_single_spaces() -> None:
    assert "0 9 * * 1" == read(" 0  9\t* * 1\n").text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' has 0 fields; write five"),
        ("* * * *", "has 4 fields"),
        ("* * * * * * *", "has 7 fields"),
        ("1--100000000", "has 1 field;"),
        ("1--100000000 * * * *", "is not a minute"),
        ("0-100000000 * * * *", "is not a minute"),
        ("60 * * * *", "60 is not a minute; use 0 to 59"),
        ("0 24 * * *", "24 is not an hour"),
        ("0 0 0 * *", "0 is not a day of month; use 1 to 31"),
        ("0 0 * 13 *", "13 is not a month"),
        ("0 0 * * 8", "8 is not a day of week; use 0 to 7"),
        ("*/0 * * * *", "steps by 0"),
        ("1,,2 * * * *", "'' is not a minute"),
        ("0 22-2 * * *", "runs backwards in its hour; write it as two: 22-23,0-2"),
        ("0 0 * * fri-mon", "write it as two: 5-6,0-1"),
        ("0 0 * * monday", "did you mean mon?"),
        ("0 0 * mon *", "'mon' is not a month; use 1 to 12, jan to dec,"),
        ("0 0 ? * 1", "write * instead of ?"),
        ("0 0 L * *", "cron has no 'last day'"),
        ("0 0 15W * *", "nearest working day"),
        ("0 0 * * 5#3", "nth weekday"),
        ("H~30 * * * *", "use spread_seconds"),
        ("0 0 ٣ * *", "is not a day of month"),
        ("*-5 * * * *", "is not a minute"),
        ("@reboot", "is not a known nickname"),
        ("@dayly", "did you mean @daily?"),
        ("@every 5m", "write it as interval_seconds"),
        ("0 0 30 2 *", "is never due: none of its months has a day 30"),
        ("0 0 31 2,4,6,9,11 *", "is never due"),
        ("0 0 31 2 */7", "is never due"),
    ],
)
def test_what_is_not_cron_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        parse({"cron_expression": text})

    assert "cron_expression" == refused.value.field
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "bomb",
    [
        "1--100000000 * * * *",
        "0-99999999999999999999 * * * *",
        "*/99999999999999999999 * * * *",
        ",".join(["1-59"] * 10_000) + " * * * *",
        "1," * 10_000,
        "* " * 100_000,
        "x" * 1_000_000,
        "@" + "daily" * 200_000,
        ["* * * * *"] * 1_000_000,
        [f"{minute} * * * *" for minute in range(17)],
        [[[[[[]]]]]],
    ],
    ids=lambda bomb: str(bomb[:3]),
)
def test_a_bomb_is_refused_without_memory(bomb: object) -> None:
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(Refused):
            parse({"cron_expression": bomb})
        spent, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 200_000
    assert spent < 0.5  # milliseconds; a search or a list of a hundred million would take many seconds
