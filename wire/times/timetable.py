"""A timetable: the instants at which a place's clocks show what cron expressions name.

Clocks that change leave local times out in spring and show some twice in autumn.  For an expression that names its
hours two policies say what is meant:

- a time that does not exist: `shift` to the instant at which the clocks jump (as Vixie's cron does; two times that
  meet there are one due time), or `skip`;
- a time that comes twice: the `first`, the `second`, or `both`.

An expression that is due in every hour (`*/15 * * * *`) means elapsed time, and the policies would spoil it: `first`
would silence it for an hour in autumn, `shift` would add a run in spring that nobody asked for.  So it is due
whenever the clocks show one of its minutes, twice in the hour that comes twice, never in one that does not.

What "every hour" is, is decided by the hours that are named and not by how they are written: Vixie's cron looks for a
star in the minute or the hour, and so drops the runs of `*/15 2 * * *` and `0 */2 * * *` that fall into a gap.  Here
the policy that the person chose decides over those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from wire.times import zones
from wire.times.cron import Cron, read
from wire.times.triggers import Trigger, trigger
from wire.times.when import Gap, Overlap
from wire.times.zones import Stretch

SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)
_BEGIN: Final = datetime(zones.FIRST_YEAR, 1, 2, tzinfo=UTC)
_END: Final = datetime(zones.LAST_YEAR, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def timetable(crons: tuple[str, ...], timezone: str, gap: Gap, overlap: Overlap) -> Timetable:
    """Compiled once for all schedules that say the same."""
    read_ones = [read(text) for text in crons]
    named = [cron for cron in read_ones if not cron.every_hour]
    hourly = [cron for cron in read_ones if cron.every_hour]
    return Timetable(
        tuple(read_ones),
        Line(trigger(named), timezone, gap == "shift", overlap) if named else None,
        Line(trigger(hourly), timezone, False, "both") if hourly else None,
    )


class Timetable:
    """The instants of one or several expressions: of those that name their hours, and of those due in every one."""

    def __init__(self, crons: Sequence[Cron], named: Line | None, hourly: Line | None) -> None:
        self.crons, self.named, self.hourly = crons, named, hourly
        self._lines = [line for line in (named, hourly) if line is not None]
        self.after = lru_cache(maxsize=16)(self._after)  # a crowd of schedules asks for the same instant

    def _after(self, instant: datetime) -> datetime | None:
        """The first due instant strictly after this one."""
        if instant >= _END:
            return None
        since = max(instant.replace(microsecond=0) + SECOND, _BEGIN)
        found = [due for line in self._lines if (due := line.since(since)) is not None]
        return min(found, default=None)


@dataclass(frozen=True, slots=True)
class Line:
    """Expressions that are treated alike when the clocks change."""

    trigger: Trigger
    timezone: str
    shifts: bool
    overlap: Overlap

    def since(self, instant: datetime) -> datetime | None:
        """The first due instant at or after this one, looked for in one stretch after the other."""
        while instant < _END:
            stretch = zones.stretch(self.timezone, instant)
            if stretch.begins == instant and self._is_shifted_to(stretch):
                return instant
            first, end = self._walls(stretch, instant)
            wall = self._wall(first)
            if wall is None:
                return None
            if wall < end:
                return wall - stretch.offset
            nothing_again = stretch.ends - instant > _DAY  # else clocks that go back may show again what was before
            instant = max(stretch.ends, wall - 2 * _DAY) if nothing_again else stretch.ends
        return None

    def walls(self, first: datetime, end: datetime, most: int) -> list[datetime]:
        """Up to `most` wall times that the expressions name, from one until before another."""
        found: list[datetime] = []
        while len(found) < most and (wall := self._wall(first)) is not None and wall < end:
            found.append(wall)
            first = wall + SECOND
        return found

    def _walls(self, stretch: Stretch, instant: datetime) -> tuple[datetime, datetime]:
        """The wall times that count in a stretch: from the first until before the second."""
        first, end = instant + stretch.offset, stretch.ends + stretch.offset
        if self.overlap == "first" and stretch.before > stretch.offset:
            first = max(first, stretch.begins + stretch.before)  # what was shown before the clocks went back is over
        if self.overlap == "second" and stretch.offset > stretch.after:
            end = stretch.ends + stretch.after
        return first, end

    def _is_shifted_to(self, stretch: Stretch) -> bool:
        if not self.shifts or stretch.before >= stretch.offset:
            return False
        return bool(self.walls(stretch.begins + stretch.before, stretch.begins + stretch.offset, most=1))

    def _wall(self, first: datetime) -> datetime | None:
        return self.trigger.get_next_fire_time(None, first)
