"""Time zones: which there are, and the stretches of time between two changes of a place's clocks.

The `tzdata` package is read and never the system's own files.  Those differ between machines (or are missing from a
small image), and two processes that do not agree on an offset would find two due times for one run; a dependency is
the same wherever this version of Warren runs, and is renewed by a deploy, everywhere at once.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from wire.errors import Refused

FIRST_YEAR: Final = 1970  # where APScheduler's calendar begins
LAST_YEAR: Final = 9990
_PROBE = timedelta(hours=12)  # nobody ever changed the clocks and took it back within half a day
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `begins` until before `ends` a place's clocks show UTC plus `offset`; before and after it, the others."""

    begins: datetime
    ends: datetime
    offset: timedelta
    before: timedelta
    after: timedelta


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Every zone of the IANA database, by its current names and its old ones."""
    return frozenset((resources.files("tzdata") / "zones").read_text().split()) - {"Factory"}


def check(name: str) -> str:
    """The name of a zone that there is, or Refused with the nearest ones."""
    if name in names():
        return name
    raise Refused("timezone", f"{name[:80]!r} is not a time zone", _remedy(name[:80]))


def _remedy(name: str) -> str:
    if name[:1] in "+-" or name[:4].upper() in ("UTC+", "UTC-", "GMT+", "GMT-"):
        return "an offset does not know about summer time: name a place, such as Europe/Berlin"
    wanted = name.lower().replace(" ", "_")
    by_lower = {known.lower(): known for known in sorted(names(), reverse=True)}
    by_place = {lower.rsplit("/")[-1]: known for lower, known in by_lower.items()}
    near = by_lower.get(wanted) or by_place.get(wanted)
    close = [near] if near else [by_lower[lower] for lower in difflib.get_close_matches(wanted, by_lower, n=3)]
    close = close or [by_place[place] for place in difflib.get_close_matches(wanted, by_place, n=3)]
    return f"did you mean {' or '.join(close)}?" if close else "use an IANA name, such as Europe/Berlin"


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The rules of a place that `check` knows."""
    with (resources.files("tzdata") / "zoneinfo" / name).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def stretch(name: str, instant: datetime) -> Stretch:
    """The stretch that an instant lies in; one longer than a year may be cut, a year or more away from the instant."""
    found = _stretches(name, instant.year)
    for one in found:
        if instant < one.ends:
            return one
    return found[-1]


@lru_cache(maxsize=8192)
def _stretches(name: str, year: int) -> tuple[Stretch, ...]:
    """What a year, the one before and the one after are made of, in order."""
    changes = [change for near in (year - 1, year, year + 1) for change in _changes(name, near)]
    begins, end = datetime(year - 1, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    offset = before = _offset(zone(name), begins)
    found = []
    for ends in [*changes, end]:
        after = _offset(zone(name), ends)
        found.append(Stretch(begins, ends, offset, before, after))
        begins, before, offset = ends, offset, after
    return tuple(found)


@lru_cache(maxsize=8192)
def _changes(name: str, year: int) -> tuple[datetime, ...]:
    """The instants of a year, by UTC, at which a place's clocks jump."""
    place, end = zone(name), datetime(year + 1, 1, 1, tzinfo=UTC)
    found, at = [], datetime(year, 1, 1, tzinfo=UTC)
    offset = _offset(place, at)
    while at < end:
        later = at + _PROBE
        if (next_offset := _offset(place, later)) != offset:
            found.append(_jump(place, at, later))
        at, offset = later, next_offset
    return tuple(found)


def _jump(place: ZoneInfo, early: datetime, late: datetime) -> datetime:
    while late - early > _SECOND:
        middle = early + (late - early) // 2
        middle = middle.replace(microsecond=0)
        if _offset(place, middle) == _offset(place, early):
            early = middle
        else:
            late = middle
    return late


def _offset(place: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(place).utcoffset() or timedelta(0)
