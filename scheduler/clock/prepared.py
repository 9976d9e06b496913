"""A schedule that is due soon, with all that can be made before the instant: its step, and its job in a trace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from persistence.schedules.due import Due
from persistence.schedules.fire import Turn
from persistence.schedules.job import job_of
from persistence.schedules.schedule import NEVER
from scheduler.clock import spans
from scheduler.clock.step import Step, Terms, step
from wire.times.when import When

SPECS: Final = 10_000  # that are remembered: many schedules say the same


@dataclass(frozen=True, slots=True)
class Prepared:
    """One turn to come."""

    due: Due
    fires_at: datetime
    turn: Turn

    @property
    def after(self) -> Due | None:
        """The same schedule once this turn is done; None if it is not due again."""
        if self.turn.coming == NEVER:
            return None
        return Due(replace(self.due.schedule, next=self.turn.coming), self.due.job_type)


def prepare(due: Due, now: datetime) -> Prepared:
    """The turn that this schedule is to take, if it takes it at about this moment."""
    schedule = due.schedule
    window = timedelta(seconds=schedule.plan.catch_up_window_seconds)
    terms = Terms(schedule.id, when_of(schedule.plan.spec), schedule.plan.catch_up, window)
    found = step(terms, schedule.next, now)
    return Prepared(due, found.fires_at, _turn(due, found))


def _turn(due: Due, found: Step) -> Turn:
    job = None
    if found.run is not None and due.job_type is not None:
        job = job_of(due.schedule, found.run, due.job_type, found.following, trace=spans.begin())
    return Turn(due.schedule, found.next, found.run, found.fires_at, found.kind, job, found.missed)


@lru_cache(maxsize=SPECS)
def when_of(spec: str) -> When:
    return msgspec.json.decode(spec, type=When)
