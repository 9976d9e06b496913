"""What a schedule leaves out: whole days, or the times that a cron expression names.

An expression of five fields leaves out whole minutes, one of six single seconds.  What counts is what the clocks of
the schedule's place show at the instant at which it would be due.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from wire.errors import Refused
from wire.times import cron, zones
from wire.times.cron import Cron
from wire.times.timetable import timetable
from wire.times.when import When

_DAY = timedelta(days=1)
_LIKE_A_DATE = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Dates and expressions, and the times of day that are asked about."""

    dates: frozenset[date]
    crons: tuple[Cron, ...]
    hours: frozenset[int]
    minutes: frozenset[int]
    seconds: frozenset[int]
    _known: dict[tuple[int, ...], frozenset[int]] = field(default_factory=dict)

    def until(self, wall: datetime) -> datetime | None:
        """None where a wall time is not left out, else the next one that may not be.

        What several expressions leave out between them is passed over as if one did.
        """
        tomorrow = _midnight(wall) + _DAY
        if wall.date() in self.dates:
            return tomorrow
        today = tuple(number for number, one in enumerate(self.crons) if is_on(one, wall))
        if not any(is_at(self.crons[number], wall) for number in today):
            return None
        gone = self._hours_gone(today)
        if self.hours <= gone:
            return tomorrow
        if wall.hour in gone:
            return wall.replace(second=0, minute=0) + timedelta(hours=1)
        if self.seconds <= self._seconds_gone(today, wall):
            return wall.replace(second=0) + timedelta(minutes=1)
        return wall + timedelta(seconds=1)

    def _hours_gone(self, today: tuple[int, ...]) -> frozenset[int]:
        """Those of which these expressions leave no minute; most days are like another one."""
        if today not in self._known:
            whole = [self.crons[number] for number in today if self.seconds <= self.crons[number].seconds]
            minutes = {hour: frozenset().union(*(o.minutes for o in whole if hour in o.hours)) for hour in self.hours}
            self._known[today] = frozenset(hour for hour in self.hours if self.minutes <= minutes[hour])
        return self._known[today]

    def _seconds_gone(self, today: tuple[int, ...], wall: datetime) -> frozenset[int]:
        ones = [self.crons[number] for number in today]
        return frozenset().union(*(o.seconds for o in ones if wall.hour in o.hours and wall.minute in o.minutes))


def free_from(when: When, due: datetime) -> datetime | None:
    """None where a due time stands, else the instant from which on another may."""
    place = zones.zone(when.timezone)
    wall = due.astimezone(place)
    ends = _compiled(when.exclude, when.cron).until(wall.replace(tzinfo=None, microsecond=0))
    return None if ends is None else ends.replace(tzinfo=place).astimezone(UTC)


def written(text: str) -> str:
    """One exclusion as it is kept, or Refused."""
    found = _read(text)
    return found.text if isinstance(found, Cron) else found.isoformat()


def _read(text: str) -> date | Cron:
    try:
        return date.fromisoformat(text)
    except ValueError:
        if _LIKE_A_DATE.match(text):
            raise Refused("exclude", f"{text[:60]!r} is not a date", "write one such as 2026-12-24") from None
    found = cron.read(text, "exclude")
    return found if len(found.text.split()) == 6 else replace(found, seconds=cron.SECOND.every)


def is_on(one: Cron, wall: datetime) -> bool:
    """Whether an expression names a wall time's day."""
    day, weekday = wall.day in one.days, wall.isoweekday() % 7 in one.weekdays
    return wall.month in one.months and (day or weekday if one.either_day else day and weekday)


def is_at(one: Cron, wall: datetime) -> bool:
    """Whether it names its time of day."""
    return wall.hour in one.hours and wall.minute in one.minutes and wall.second in one.seconds


@lru_cache(maxsize=1024)
def _compiled(texts: tuple[str, ...], crons: tuple[str, ...]) -> Exclusions:
    found = [_read(text) for text in texts]
    due = timetable(crons, "UTC", "skip", "first").crons if crons else (cron.read("* * * * * *"),)
    return Exclusions(
        frozenset(one for one in found if isinstance(one, date)),
        tuple(one for one in found if isinstance(one, Cron)),
        frozenset().union(*(one.hours for one in due)),
        frozenset().union(*(one.minutes for one in due)),
        frozenset().union(*(one.seconds for one in due)),
    )


def _midnight(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0, second=0)
