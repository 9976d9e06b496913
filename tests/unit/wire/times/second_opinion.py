"""A second opinion on when an expression is due: cronsim's wall times, placed in a zone by another way than ours.

`wire/times` asks, stretch by stretch, which wall times count there.  Here every wall time is placed by itself with
`fold`, as PEP 495 has it, and the policies are applied to what comes back: no instant, one, or two.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from wire.times import zones
from wire.times.when import When

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # half an hour off
    "America/Havana",  # jumps at midnight
    "Asia/Beirut",  # too, and goes back to the day before
    "Africa/Casablanca",  # back for a month each year, by the moon
    "Asia/Kathmandu",  # three quarters off, no changes
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Chatham",  # three quarters off, with changes
    "Antarctica/Troll",  # changes by two hours
    "Pacific/Apia",  # in its own years: skipped 2011-12-30 altogether
)
OVERLAP = timedelta(hours=3)  # no clock of these went back further
MINUTE = timedelta(minutes=1)


def years(zone: str) -> tuple[datetime, datetime]:
    """Three years of a zone, with all that is odd about it."""
    first = 2010 if zone == "Pacific/Apia" else 2025
    return datetime(first, 1, 1, tzinfo=UTC), datetime(first + 3, 1, 1, tzinfo=UTC)


def changes(zone: str) -> list[datetime]:
    """The instants in those years at which the clocks jump."""
    instant, end = years(zone)
    found = []
    while (stretch := zones.stretch(zone, instant)).ends < end:
        instant = stretch.ends
        if stretch.offset != stretch.after:
            found.append(instant)
    return found


def expected(when: When, after: datetime, until: datetime) -> list[datetime]:
    """The due times of one expression in (after, until], by cronsim and by the rule of the policies."""
    place = zones.zone(when.timezone)
    found = {
        instant
        for wall in _walls(when.cron[0], after.astimezone(place), until.astimezone(place))
        for instant in _instants(when, wall, place)
    }
    return sorted(instant for instant in found if after < instant <= until)


def _walls(text: str, after: datetime, until: datetime) -> Iterator[datetime]:
    end = until.replace(tzinfo=None) + OVERLAP
    for wall in CronSim(text, after.replace(tzinfo=None) - OVERLAP):
        if wall > end:
            return
        yield wall


def _instants(when: When, wall: datetime, place: ZoneInfo) -> Iterable[datetime]:
    passes = [wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)]
    real = [instant for instant in passes if instant.astimezone(place).replace(tzinfo=None) == wall]
    if is_hourly(when):
        return real
    if not real:
        return [_first_after(wall, place)] if when.dst_gap == "shift" else []
    return {"first": real[:1], "second": real[-1:], "both": real}[when.dst_overlap]


def _first_after(wall: datetime, place: ZoneInfo) -> datetime:
    while wall.replace(tzinfo=place).astimezone(UTC).astimezone(place).replace(tzinfo=None) != wall:
        wall = wall.replace(second=0) + MINUTE
    return wall.replace(tzinfo=place).astimezone(UTC)


def is_hourly(when: When) -> bool:
    """Due in every hour of the day."""
    return len(hours(when.cron[0])) == 24


def hours(text: str) -> set[int]:
    return {int(hour) for hour in CronSim(text, datetime(2026, 1, 1)).hours}


def expression(dice: random.Random, *, star_free: bool = False) -> str:
    """Any expression that both understand; `star_free` names its minutes and hours, for Vixie's own rule."""
    minute = _field(dice, 0, 59, (), 0.0 if star_free else 0.15)
    hour = _field(dice, 0, 23, (), 0.0 if star_free else 0.35)
    day = _field(dice, 1, 28, (), 0.6)  # a day that no month has is refused by both
    month = _field(dice, 1, 12, MONTHS, 0.7)
    weekday = _field(dice, 0, 7, WEEKDAYS, 0.5)
    if star_free or dice.random() < 0.8:
        return f"{minute} {hour} {day} {month} {weekday}"
    return f"{dice.choice(('0', '30', '*/20', '7,59'))} {minute} {hour} {day} {month} {weekday}"


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def _field(dice: random.Random, least: int, most: int, words: tuple[str, ...], star: float) -> str:
    if dice.random() < star:
        return "*"
    return ",".join(_item(dice, least, most, words, star) for _ in range(dice.choice((1, 1, 1, 2, 3))))


def _item(dice: random.Random, least: int, most: int, words: tuple[str, ...], star: float) -> str:
    first, last = sorted((dice.randint(least, most), dice.randint(least, most)))
    kind = dice.randrange(6 if star else 5)
    if kind == 5:
        return f"*/{dice.randint(1, most)}"
    if kind == 4:
        return f"{first}/{dice.randint(1, most)}"
    if kind == 3 and first < last:  # cronsim reads `5-5/1` as `5/1`; Vixie's cron and we do not
        return f"{first}-{last}/{dice.randint(1, most)}"
    if kind == 2:
        return f"{first}-{last}"
    if kind == 1 and words:
        return dice.choice((str.upper, str.title, str.lower))(dice.choice(words))
    return str(first)
