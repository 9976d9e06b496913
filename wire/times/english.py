"""A cron expression in words: what it means, and not what was typed.

`0 9 * * 1` is "At 09:00 on Monday", `*/15 * * * *` is "Every 15 minutes".  Made from the sets that cron.py read, so a
step that does not fit (`*/45`) is shown as the minutes that it really names.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Final

from wire.times.cron import DAY, MINUTE, MONTH, Cron

MOST_TIMES: Final = 6  # of a day, that a person still reads one by one
WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def spoken(cron: Cron) -> str:
    """The whole expression as a sentence without a full stop."""
    times, days = _times(cron), _days(cron)
    if days is None:
        return f"{times} every day" if times.startswith("At ") and "every hour" not in times else times
    return f"{times} {days}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def every(count: float, unit: str) -> str:
    """`Every hour`, `Every 15 minutes`."""
    return f"Every {unit}" if count == 1 else f"Every {count:g} {unit}s"


def _times(cron: Cron) -> str:
    hours, minutes, seconds = sorted(cron.hours), sorted(cron.minutes), sorted(cron.seconds)
    if not cron.every_hour and len(hours) * len(minutes) * len(seconds) <= MOST_TIMES:
        return f"At {listed([_clock(*time) for time in product(hours, minutes, seconds)])}"
    if seconds == minutes == [0]:
        step = _step(hours, 24)
        return every(step, "hour") if step else f"Every hour {_hours(cron)}"
    within = _within_hours(cron, minutes, seconds)
    return f"{within} {_hours(cron)}".rstrip()


def _within_hours(cron: Cron, minutes: Sequence[int], seconds: Sequence[int]) -> str:
    if seconds == [0]:
        return _repeated(minutes, "minute", "of every hour" if cron.every_hour else "")
    words = _repeated(seconds, "second", "of every minute" if cron.minutes == MINUTE.every else "")
    if cron.minutes == MINUTE.every:
        return words
    within = " of every hour" if cron.every_hour else ""
    return f"{words} in {_numbered('minute', minutes)}{within}"


def _repeated(numbers: Sequence[int], unit: str, within: str) -> str:
    """`Every 15 minutes` where they come evenly, else by number."""
    step = _step(numbers, 60)
    return every(step, unit) if step else f"At {_numbered(unit, numbers)} {within}".rstrip()


def _hours(cron: Cron) -> str:
    hours = sorted(cron.hours)
    if cron.every_hour:
        return ""
    if len(hours) > 1 and _steps(hours) == {1}:
        return f"from {_clock(hours[0], min(cron.minutes))} to {_clock(hours[-1], max(cron.minutes))}"
    return f"in the hour{'s' if len(hours) > 1 else ''} {listed([f'{hour:02}' for hour in hours])}"


def _days(cron: Cron) -> str | None:
    """On which days, or None for every day."""
    months = (
        None if cron.months == MONTH.every else listed(_ranges(sorted(cron.months), calendar.month_name.__getitem__))
    )
    weekdays = None if len(cron.weekdays) == 7 else f"on {listed(_ranges(_from_monday(cron), _weekday))}"
    if cron.days == DAY.every and not cron.either_day:
        found = [part for part in (weekdays, months and f"in {months}") if part]
        return " ".join(found) or None
    dates = f"on {_dates(sorted(cron.days))} of {months or 'every month'}"
    if weekdays is None and not cron.either_day:
        return dates
    if cron.either_day:
        other = weekdays or "on any weekday"
        return f"{dates}, or {other}" + (f" in {months}" if months else "")
    return f"{weekdays} where it is {dates.removeprefix('on ')}"


def _dates(days: Sequence[int]) -> str:
    steps = _steps(days)
    if len(days) > 3 and len(steps) == 1 and (step := steps.pop()) > 1:
        return f"every {_ordinal(step)} day from the {_ordinal(days[0])} to the {_ordinal(days[-1])}"
    return f"the {listed(_ranges(days, _ordinal))}"


def _from_monday(cron: Cron) -> list[int]:
    """Sunday stands last, so that a weekend is one range."""
    return sorted(day or 7 for day in cron.weekdays)


def _weekday(day: int) -> str:
    return WEEKDAYS[day % 7]


def _ranges(numbers: Sequence[int], word: Callable[[int], str]) -> list[str]:
    """Three or more in a row become a range."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [
        text
        for run in runs
        for text in ([f"{word(run[0])} to {word(run[-1])}"] if len(run) > 2 else [word(number) for number in run])
    ]


def _numbered(unit: str, numbers: Sequence[int]) -> str:
    return f"{unit}{'s' if len(numbers) > 1 else ''} {listed(_ranges(numbers, str))}"


def _ordinal(number: int) -> str:
    ending = "th" if 11 <= number <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _step(numbers: Sequence[int], whole: int) -> int | None:
    """The even step in which these numbers go round a clock for ever, or None."""
    if len(numbers) < 2 or numbers[0] != 0 or len(steps := _steps(numbers)) != 1:
        return None
    step = steps.pop()
    return step if step * len(numbers) == whole else None


def _steps(numbers: Sequence[int]) -> set[int]:
    return {late - early for early, late in pairwise(numbers)}


def _clock(hour: int, minute: int, second: int = 0) -> str:
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")
