"""Why a schedule fires or does not: how it stands → one plain sentence and one word for programs.  Pure.

Nothing is guessed: what nobody has written down is not said.  Whether its jobs then run is another question, which each
job answers for itself (gateway/telling/why.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.telling.words import ago, clock, fault, several, span
from persistence.schedules.schedule import PausedBecause, Schedule, Standing
from wire.times.when import When

LATE: Final = timedelta(seconds=15)  # a clock that takes over from a dead one is sooner


class ScheduleCause(StrEnum):
    """What keeps it from firing, or `waiting`; programs may rely on these words."""

    WAITING = "waiting"
    LATE = "late"
    PAUSED = "paused"
    FAILURES = "failures"
    UNREADABLE = "unreadable"
    ALL_RUNS_MADE = "all_runs_made"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Told:
    """One cause in words."""

    cause: ScheduleCause
    sentence: str


def explain(schedule: Schedule, when: When | None, now: datetime) -> Told:
    """Why it stands where it stands."""
    if schedule.state is Standing.PAUSED:
        return _paused(schedule, now)
    if schedule.state is Standing.ENDED:
        return _ended(schedule, when, now)
    return _active(schedule, now)


def _active(schedule: Schedule, now: datetime) -> Told:
    fires_at = schedule.next.fires_at
    if fires_at is None:
        return Told(ScheduleCause.OVER, "It has no due time left.")
    if now - fires_at > LATE:
        since = f"It should have fired at {clock(now, fires_at)}, {ago(now, fires_at)}"
        return Told(ScheduleCause.LATE, f"{since}, and no clock has done so: is a scheduler running?")
    if fires_at <= now:
        return Told(ScheduleCause.WAITING, "It fires just now.")
    return Told(ScheduleCause.WAITING, f"It fires next at {clock(now, fires_at)}, in {span(fires_at - now)}.")


def _paused(schedule: Schedule, now: datetime) -> Told:
    since = f" since {clock(now, schedule.paused_at)}" if schedule.paused_at else ""
    if schedule.paused_because is PausedBecause.FAILURES:
        runs = several(schedule.failures_in_a_row, "run")
        last = f"its last {runs} failed" if schedule.failures_in_a_row else "so many of its runs failed in a row"
        return Told(ScheduleCause.FAILURES, f"It is paused{since}, because {last}; resume it when the cause is gone.")
    if schedule.paused_because is PausedBecause.UNREADABLE:
        return Told(ScheduleCause.UNREADABLE, f"It is paused{since}, because nobody can tell when it is due; edit it.")
    note = f": {fault(None, schedule.paused_note)}" if schedule.paused_note else ""
    who = f" by {schedule.paused_by}" if schedule.paused_by else ""
    return Told(ScheduleCause.PAUSED, f"It is paused{since}{who}{note}.")


def _ended(schedule: Schedule, when: When | None, now: datetime) -> Told:
    most = schedule.plan.max_runs
    if most is not None and schedule.fired >= most:
        return Told(ScheduleCause.ALL_RUNS_MADE, f"It has ended: all of its {several(most, 'run')} have been made.")
    if when is not None and when.once_at is not None:
        return Told(ScheduleCause.OVER, f"It has ended: its one time, {clock(now, when.once_at)}, has passed.")
    if when is not None and when.ends_at is not None:
        return Told(ScheduleCause.OVER, f"It has ended: nothing is due before its end, {clock(now, when.ends_at)}.")
    return Told(ScheduleCause.OVER, "It has ended: it has no due time left.")
