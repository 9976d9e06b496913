"""One step of a schedule: what becomes of its next due time, and where it stands after that; pure.

Made ahead of the instant, because to compute due times costs more than all else there is to do then.

- **Late is not missed.**  Up to LATE ago every due time is run, as if it were now: that is how long another clock may
  need to take over.  What is older is missed, and `catch_up` decides: `none` of it, the `latest`, or `all` that lie
  within the window, one step each.
- A stretch of missed due times has no bound (one a second, for weeks), a step has: after MOST the next one goes on.
- Who fires before the one before it (a jitter that is longer than the interval) waits for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final
from uuid import UUID

from persistence.schedules.fire import Missed
from persistence.schedules.schedule import NEVER, CatchUp, Kind, Next
from wire.times.fires import dues, next_due, offset
from wire.times.when import When

LATE: Final = timedelta(seconds=30)
MOST: Final = 500
FOLLOWING: Final = 3  # due times that a job is told of
LAST: Final = datetime.max.replace(tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a schedule decides its steps."""

    id: UUID
    when: When
    catch_up: CatchUp
    window: timedelta


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done at `fires_at`: one run or none, some counted as missed, and then `next`."""

    fires_at: datetime
    run: datetime | None  # its due time
    kind: Kind
    missed: Missed | None
    next: Next
    following: tuple[datetime, ...]


def step(terms: Terms, place: Next, now: datetime) -> Step:
    """From where a schedule stands; `place` must be a due time, not NEVER."""
    assert place.due_at is not None
    assert place.fires_at is not None
    if now - place.fires_at <= LATE:
        return _run(terms, place, Kind.DUE, place.due_at)
    if terms.catch_up is CatchUp.ALL and place.due_at >= now - terms.window:
        return _run(terms, place, Kind.CAUGHT_UP, place.due_at)
    gone = _gone(terms, place.due_at, now)
    after = _next(terms, next_due(terms.when, gone[-1]), place.fires_at)
    if terms.catch_up is CatchUp.LATEST and (after.fires_at is None or now - after.fires_at <= LATE):
        return _run(terms, place, Kind.CAUGHT_UP, gone[-1], _missed(gone[:-1]))
    return Step(place.fires_at, None, Kind.DUE, _missed(gone), after, ())


def _gone(terms: Terms, due: datetime, now: datetime) -> list[datetime]:
    """The due times that nobody catches up, or of which one alone is; as many as one step takes."""
    until = now - LATE if terms.catch_up is not CatchUp.ALL else now - max(LATE, terms.window + _TICK)
    later = dues(terms.when, due, until, MOST)
    return [due, *takewhile(lambda one: one + offset(terms.when, terms.id, one) <= until, later)]


def _missed(gone: list[datetime]) -> Missed | None:
    return Missed(len(gone), gone[0], gone[-1]) if gone else None


def _run(terms: Terms, place: Next, kind: Kind, due: datetime, missed: Missed | None = None) -> Step:
    assert place.fires_at is not None
    following = tuple(dues(terms.when, due, LAST, FOLLOWING))
    after = _next(terms, following[0] if following else None, place.fires_at)
    return Step(place.fires_at, due, kind, missed, after, following)


def _next(terms: Terms, due: datetime | None, fired_at: datetime) -> Next:
    return NEVER if due is None else Next(due, max(due + offset(terms.when, terms.id, due), fired_at))
