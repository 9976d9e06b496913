"""Which waiting jobs have lost their message, by what was seen of their queues: pure.

Two looks are compared, because a message may be on its way from the queue to a claim.  What was overtaken at the first
look has been delivered before that, or never will be; so every live worker must have beaten since, and none may still
keep a delivery from before it.  A queue that does not exist gives no verdict: nobody could hear a fresh message, and
when the queue stands again it is seen empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from persistence.mending.rescue import Crew, Overtaken, Queues

PRIORITIES: Final = range(1, 11)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, and by the database's clock when all of it had been seen."""

    at: datetime
    queues: Queues
    depths: Mapping[str, int | None]  # messages ready in the work queue; None: there is no such queue


@dataclass(frozen=True, slots=True)
class Bounds:
    """How sure one must be."""

    overtaken: timedelta  # how much later the overtaker must have come due
    grace: timedelta  # how long before the look a job must have been due, in a queue that was seen empty


def comparable(looks: Sequence[Look], now: Look) -> Look | None:
    """The newest of these looks that every worker, alive now, has beaten since.

    Not simply the one before: workers that beat seldomer than we look need never have all beaten between two looks.
    """
    first_beat = min((crew.beaten_at for crew in now.queues.crews), default=now.at)
    return max((look for look in looks if look.at < first_beat), key=lambda look: look.at, default=None)


def overtaken(then: Look, now: Look, bounds: Bounds) -> Iterator[Overtaken]:
    """For each queue and priority, since when its jobs must have waited to count as lost."""
    for queue in then.queues.waiting:
        crews = [crew for crew in now.queues.crews if queue in crew.queues]
        if any(_may_keep(crew, then.at) for crew in crews):
            continue
        seen = _empty(queue, crews, then, bounds) or _left_behind(queue, crews, then, bounds)
        for priority in PRIORITIES:
            passed = _passed(queue, priority, then, bounds)
            before = [time for time in (seen, passed) if time is not None]
            if before:
                yield Overtaken(queue, priority, max(before))


def _may_keep(crew: Crew, then: datetime) -> bool:
    """Whether a delivery of that time may still lie unclaimed with this worker, for all we know."""
    return crew.beaten_at <= then or (
        crew.waiting_since is not None and crew.waiting > 0 and crew.waiting_since <= then
    )


def _empty(queue: str, crews: Sequence[Crew], then: Look, bounds: Bounds) -> datetime | None:
    kept = any(crew.waiting > 0 and crew.waiting_since is None for crew in crews)
    return then.at - bounds.grace if then.depths.get(queue) == 0 and not kept else None


def _left_behind(queue: str, crews: Sequence[Crew], then: Look, bounds: Bounds) -> datetime | None:
    """Its types have moved to other queues, and nobody serves this one any more."""
    return then.at - bounds.overtaken if not crews and queue not in then.queues.homes else None


def _passed(queue: str, priority: int, then: Look, bounds: Bounds) -> datetime | None:
    marks = [then.queues.marks.get((queue, lower)) for lower in PRIORITIES if lower <= priority]
    reached = [mark for mark in marks if mark is not None]
    return max(reached) - bounds.overtaken if reached else None
