"""A schedule's times in words for a person: one sentence, and what the changes of the clocks will do to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from wire.times import exclusions, zones
from wire.times.cron import read
from wire.times.english import every, listed, spoken
from wire.times.timetable import Line, timetable
from wire.times.when import When
from wire.times.zones import Stretch

MOST_WARNINGS: Final = 6
LOOK_AHEAD: Final = timedelta(days=366)  # both changes of a year, whatever the day
_PASSES: Final = {"first": "the first time", "second": "the second time", "both": "both times"}
_UNITS: Final = ((3600, "hour"), (60, "minute"), (1, "second"))


def sentence(when: When) -> str:
    """What `when` means, such as "At 09:00 on Monday, in Europe/Berlin"."""
    return ", ".join(_clauses(when))


def warnings(when: When, dues: Sequence[datetime]) -> list[str]:
    """What the clocks do to these due times, and in the year after the first of them to times that have a name."""
    if not when.cron or not dues:
        return []
    table = timetable(when.cron, when.timezone, when.dst_gap, when.dst_overlap)
    found: list[str] = []
    for change in _changes(when.timezone, dues[0], max(dues[-1], dues[0] + LOOK_AHEAD)):
        if table.named and not _is_out(when, change.begins):
            found += _named(when, table.named, change)
        if table.hourly and change.begins <= dues[-1]:
            found += _hourly(when, table.hourly, change)
        if len(found) >= MOST_WARNINGS:
            break
    return found[:MOST_WARNINGS]


def _clauses(when: When) -> Iterable[str]:
    yield _what(when)
    if _is_placed(when):
        yield f"in {when.timezone}"
    if when.starts_at:
        yield f"from {_local(when, when.starts_at)}"
    if when.ends_at:
        yield f"until {_local(when, when.ends_at)}"
    if when.exclude:
        yield f"except {_shortened(when.exclude)}"
    if when.spread_seconds:
        yield f"spread over {_span(when.spread_seconds)}"
    if when.jitter_seconds:
        yield f"with up to {_span(when.jitter_seconds)} of jitter"


def _is_placed(when: When) -> bool:
    """Whether the zone is worth a word: UTC only beside an instant, and an interval has none of its own."""
    shown = bool(when.once_at or when.starts_at or when.ends_at)
    return shown or (when.timezone != "UTC" and bool(when.cron or when.exclude))


def _what(when: When) -> str:
    if when.cron:
        first, *others = [spoken(read(text)) for text in when.cron]
        return listed([first, *(other[:1].lower() + other[1:] for other in others)])
    if when.interval_seconds is not None:
        return every(*_measured(when.interval_seconds))
    assert when.once_at is not None
    return f"Once, at {_local(when, when.once_at)}"


def _measured(seconds: float) -> tuple[float, str]:
    """In the largest unit that needs no fraction; a day is 24 hours here, whatever the clocks do."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds % size == 0), _UNITS[-1])
    return seconds / size, unit


def _span(seconds: float) -> str:
    count, unit = _measured(seconds)
    return f"{count:g} {unit}{'' if count == 1 else 's'}"


def _shortened(texts: Sequence[str]) -> str:
    return listed([*texts[:3], f"{len(texts) - 3} more"] if len(texts) > 4 else texts)


def _local(when: When, instant: datetime) -> str:
    local = instant.astimezone(zones.zone(when.timezone))
    return f"{local:%Y-%m-%d %H:%M}" + (f":{local:%S}" if local.second else "")


def _changes(timezone: str, since: datetime, until: datetime) -> Iterable[Stretch]:
    """The stretches that begin with a jump of the clocks, from the one that `since` may be in the shadow of."""
    instant = since - timedelta(days=1)
    while instant <= until:
        stretch = zones.stretch(timezone, instant)
        if stretch.before != stretch.offset and since - timedelta(days=1) <= stretch.begins <= until:
            yield stretch
        instant = stretch.ends


def _is_out(when: When, change: datetime) -> bool:
    if (when.starts_at and change < when.starts_at) or (when.ends_at and change > when.ends_at):
        return True
    return bool(when.exclude) and exclusions.free_from(when, change) is not None


def _named(when: When, line: Line, change: Stretch) -> list[str]:
    early, late = _edges(change)
    walls = line.walls(min(early, late), max(early, late), most=4)
    if not walls:
        return []
    times = listed([f"{wall:%H:%M}" for wall in walls[:3]] + ["more"] * (len(walls) > 3))
    many = len(walls) > 1
    subject = f"{walls[0]:%Y-%m-%d}: {times}"
    if early < late:
        verb = f"{'do' if many else 'does'} not exist in {when.timezone}"
        at = f"{late:%H:%M}" if late.date() == walls[0].date() else f"{late:%Y-%m-%d %H:%M}"
        outcome = f"due at {at} instead" if when.dst_gap == "shift" else "left out"
        return [f"{subject} {verb}; {outcome} (dst_gap={when.dst_gap})"]
    verb = f"{'come' if many else 'comes'} twice in {when.timezone}"
    return [f"{subject} {verb}; due {_PASSES[when.dst_overlap]} (dst_overlap={when.dst_overlap})"]


def _hourly(when: When, line: Line, change: Stretch) -> list[str]:
    early, late = _edges(change)
    if not line.walls(min(early, late), max(early, late), most=1):
        return []
    jump = f"{early:%Y-%m-%d}: the clocks of {when.timezone} go from {early:%H:%M} to {late:%H:%M}"
    return [f"{jump}; what is due in every hour goes on by elapsed time"]


def _edges(change: Stretch) -> tuple[datetime, datetime]:
    """What the clocks would show at the jump, and what they show."""
    return change.begins + change.before, change.begins + change.offset
