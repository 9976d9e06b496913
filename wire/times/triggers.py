"""The wall times that cron expressions name, found by APScheduler's triggers.

Its `from_crontab` is not cron (Monday is 0 there, 7 raises, and the two day fields are joined by AND), so a trigger
is built field by field: weekdays by their names, and where either day field is enough, two triggers joined by OR.
All of it in UTC, where no clock ever changes: a wall time here is a `datetime` that only says it is UTC.  What a
place's clocks make of it is decided in timetable.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Protocol

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from wire.times.cron import DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAYS, Cron, Field


class Trigger(Protocol):
    """What we ask of APScheduler: the first wall time at or after another."""

    def get_next_fire_time(self, previous_fire_time: None, now: datetime) -> datetime | None: ...


class Remembering:
    """A trigger that is asked again only once its last answer has passed.

    Joined ones are all asked for every answer of one of them; ten expressions and a long row of exclusions would
    cost seconds.  The pair is replaced in one step, so that threads may share it.
    """

    def __init__(self, trigger: Trigger) -> None:
        self._trigger = trigger
        self._answered: tuple[datetime, datetime | None] | None = None

    def get_next_fire_time(self, previous_fire_time: None, now: datetime) -> datetime | None:
        if self._answered is not None:
            asked, wall = self._answered
            if asked <= now and (wall is None or now <= wall):
                return wall
        wall = self._trigger.get_next_fire_time(previous_fire_time, now)
        self._answered = now, wall
        return wall


def trigger(crons: Sequence[Cron]) -> Trigger:
    """One trigger for all wall times that any of these expressions names."""
    parts = [Remembering(_trigger(part)) for cron in crons for part in _by_days(cron)]
    joined: Trigger = parts[0] if len(parts) == 1 else OrTrigger(parts)
    return joined


def _by_days(cron: Cron) -> Iterable[Cron]:
    """Two expressions where either day field is enough: one of the weekdays, one of the days of the month."""
    if not cron.either_day:
        return [cron]
    parts = [replace(cron, days=DAY.every), replace(cron, weekdays=frozenset(range(7)))]
    return parts if cron.has_a_day else parts[:1]  # the 30th of February would be looked for until the year 9999


def _trigger(cron: Cron) -> Trigger:
    built: Trigger = CronTrigger(
        year="*",
        month=_said(cron.months, MONTH),
        day=_said(cron.days, DAY),
        week="*",
        day_of_week="*" if len(cron.weekdays) == 7 else ",".join(WEEKDAYS[day] for day in sorted(cron.weekdays)),
        hour=_said(cron.hours, HOUR),
        minute=_said(cron.minutes, MINUTE),
        second=_said(cron.seconds, SECOND),
        timezone=UTC,
    )
    return built


def _said(numbers: frozenset[int], field: Field) -> str:
    """The shortest text for a set of numbers: APScheduler walks through every item of a list each time it is asked."""
    if numbers == field.every:
        return "*"
    ordered = sorted(numbers)
    steps = {late - early for early, late in pairwise(ordered)}
    if len(ordered) > 2 and len(steps) == 1:
        return f"{ordered[0]}-{ordered[-1]}/{steps.pop()}"
    return ",".join(_runs(ordered))


def _runs(ordered: Sequence[int]) -> Iterable[str]:
    first = last = ordered[0]
    for number in [*ordered[1:], None]:
        if number == last + 1:
            last = number
            continue
        yield str(first) if first == last else f"{first}-{last}"
        if number is not None:
            first = last = number
