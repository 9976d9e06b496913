"""A cron expression becomes six sets of numbers, read as Vixie's cron reads it.

- Five fields (minute, hour, day of month, month, day of week) or six, where the first is the second.
- A field is a list of `*`, numbers, names and ranges, each with an optional step.  0 and 7 are both Sunday; names
  are the first three letters, in either case, also in ranges; `fri-sun` is 5-7.
- Where neither day field begins with a `*`, a day is due if *either* names it (`0 9 13 * 5`: every 13th and every
  Friday); where one does, both must (`*/2` begins with a star, too).
- `5/10` means `5-59/10`, as in cronie and Quartz; Vixie's own parser refuses it.
- A step beyond its range is taken (`*/90` is minute 0), because cron takes it; the sentence shows what it means.

Refused, before anything is built: what is not cron (`@reboot`, `L`, `W`, `#`, `?`, `~`), ranges that run backwards,
numbers out of range, days that no month has, and whatever is too long to be meant.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final

from wire.errors import Refused

LONGEST: Final = 512  # characters; the longest expression with a purpose, all minutes by name, has 200
MOST_ITEMS: Final = 64  # one for every minute of an hour, and a few

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NICKNAMES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
LONGEST_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Field:
    """One of the six: its name for a person, the numbers it may hold, and words for some of them."""

    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()
    first_word: int = 0

    @property
    def every(self) -> frozenset[int]:
        return frozenset(range(self.least, self.most + 1))

    @property
    def one(self) -> str:
        return f"an {self.name}" if self.name == "hour" else f"a {self.name}"


SECOND: Final = Field("second", 0, 59)
MINUTE: Final = Field("minute", 0, 59)
HOUR: Final = Field("hour", 0, 23)
DAY: Final = Field("day of month", 1, 31)
MONTH: Final = Field("month", 1, 12, MONTHS, 1)
WEEKDAY: Final = Field("day of week", 0, 7, WEEKDAYS)
FIELDS: Final = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(frozen=True, slots=True)
class Cron:
    """What an expression names; `text` is what the person wrote, with single spaces."""

    text: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday, 6 Saturday
    either_day: bool  # both day fields are restricted: one match is enough

    @property
    def every_hour(self) -> bool:
        return self.hours == HOUR.every

    @property
    def has_a_day(self) -> bool:
        """Whether one of its months has one of its days of the month."""
        return min(self.days) <= max(LONGEST_MONTH[month - 1] for month in self.months)


def read(text: str, name: str = "cron_expression") -> Cron:
    """The expression that a person wrote, or Refused."""
    if len(text) > LONGEST:
        raise Refused(name, f"has {len(text)} characters", f"write it in at most {LONGEST}, or as several expressions")
    written = " ".join(text.split())
    parts = _parts(written, name)
    seconds, minutes, hours, days, months, weekdays = (
        _numbers(part, field, name) for part, field in zip(parts, FIELDS, strict=True)
    )
    either_day = not parts[3].startswith("*") and not parts[5].startswith("*")
    cron = Cron(written, seconds, minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either_day)
    _check_possible(cron, name)
    return cron


def _parts(written: str, name: str) -> list[str]:
    if written.startswith("@"):
        written = _spelt_out(written.lower(), name)
    parts = written.split()
    if len(parts) not in (5, 6):
        problem = f"{_short(written)} has {len(parts)} field{'' if len(parts) == 1 else 's'}"
        remedy = "write five: minute, hour, day of month, month, day of week (or six, with the second first)"
        raise Refused(name, problem, remedy)
    return parts if len(parts) == 6 else ["0", *parts]


def _spelt_out(nickname: str, name: str) -> str:
    if nickname in NICKNAMES:
        return NICKNAMES[nickname]
    if nickname.startswith("@every"):
        raise Refused(name, f"{_short(nickname)} is an interval", "write it as interval_seconds")
    near = difflib.get_close_matches(nickname, NICKNAMES, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(NICKNAMES)}, or five fields"
    raise Refused(name, f"{_short(nickname)} is not a known nickname", remedy)


def _numbers(part: str, field: Field, name: str) -> frozenset[int]:
    items = part.split(",", MOST_ITEMS)
    if len(items) > MOST_ITEMS:
        raise Refused(name, f"names more than {MOST_ITEMS} items in its {field.name}", "use a range or a step")
    return frozenset(number for item in items for number in _item(item, field, name))


_ITEM = re.compile(r"(?P<first>\*|[0-9]{1,2}|[a-z]+)(?:-(?P<last>[0-9]{1,2}|[a-z]+))?(?:/(?P<step>[0-9]{1,4}))?")
_OTHERS: Final = {
    "?": "write * instead of ?",
    "~": "for a time of its own, use spread_seconds",
    "#": "cron has no 'nth weekday'; the second Monday is day 8-14 with exclude '* * * * 0,2-6'",
    "L": "cron has no 'last day'; use 0 0 1 * *, the instant at which a month ends",
    "W": "cron has no 'nearest working day'; use a range such as mon-fri",
}


def _item(item: str, field: Field, name: str) -> range:
    found = _ITEM.fullmatch(item.lower())
    if not found or (found["first"] == "*" and found["last"]):
        raise Refused(name, f"{_short(item)} is not {field.one}", _remedy(item, field))
    step = int(found["step"] or 1)
    if step == 0:
        raise Refused(name, f"{_short(item)} steps by 0 in its {field.name}", "use a step of 1 or more")
    if found["first"] == "*":
        first, last = field.least, field.most
    else:
        first = _number(found["first"], field, name)
        last = _last(found["last"], field, name) if found["last"] else (field.most if found["step"] else first)
    if last < first:
        remedy = f"write it as two: {first}-{6 if field is WEEKDAY else field.most},{field.least}-{last}"
        raise Refused(name, f"{_short(item)} runs backwards in its {field.name}", remedy)
    return range(first, last + 1, step)


def _remedy(item: str, field: Field) -> str:
    bare = item.upper()
    for sign, remedy in _OTHERS.items():
        if sign in bare and (not sign.isalpha() or re.fullmatch(r"L|LW|[0-9]+[LW]", bare)):
            return remedy
    names = f", {field.words[0]} to {field.words[-1]}" if field.words else ""
    return f"use {field.least} to {field.most}{names}, and ranges, steps and lists, such as 1-5, */2 or 1,3"


def _last(word: str, field: Field, name: str) -> int:
    return 7 if field is WEEKDAY and word == "sun" else _number(word, field, name)


def _number(word: str, field: Field, name: str) -> int:
    if word in field.words:
        return field.words.index(word) + field.first_word
    if not word.isdigit():
        near = next((known for known in field.words if word.startswith(known)), None)
        remedy = f"did you mean {near}?" if near else _remedy(word, field)
        raise Refused(name, f"{_short(word)} is not {field.one}", remedy)
    if not field.least <= int(word) <= field.most:
        raise Refused(name, f"{word} is not {field.one}", f"use {field.least} to {field.most}")
    return int(word)


def _check_possible(cron: Cron, name: str) -> None:
    """A day that no month has would be looked for until the end of the calendar."""
    if not cron.either_day and not cron.has_a_day:
        problem = f"{_short(cron.text)} is never due: none of its months has a day {min(cron.days)}"
        raise Refused(name, problem, "name a day that exists")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
