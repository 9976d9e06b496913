"""When the attempts that are left to a job will come: its type's back-off, written out.  Pure.

The worker draws the jitter and measures from the end of an attempt, so most of a plan is a wait and not a time.  An
actor may choose another wait itself (`RetryAfter`).  actors/attempts/verdict.py decides; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wire.states import FINAL, State

JITTER: Final = 0.25
MOST_TOLD: Final = 20  # a job may have a thousand retries, and a page five hundred jobs


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """One attempt to come."""

    attempt: int
    after_seconds: float | None  # after the end of the attempt before; None where its time is settled already
    at_most_seconds: float | None  # the same with all the jitter
    earliest_at: datetime | None  # None while an attempt before it has yet to begin or to end


@dataclass(frozen=True, slots=True)
class Backoff:
    """How far apart a type's attempts are."""

    base_seconds: float
    most_seconds: float

    def after(self, attempt: int) -> float:
        """The wait after this attempt, from 1, without jitter."""
        return min(self.most_seconds, self.base_seconds * 2.0 ** min(attempt - 1, 60))  # more is beyond any cap


def plan(
    state: State, attempt: int, max_retries: int, next_attempt_at: datetime | None, backoff: Backoff
) -> list[PlannedAttempt] | None:
    """The attempts after the one that runs or is queued; None when there are none."""
    if state in FINAL:
        return None
    last = max_retries + 1
    if state is State.RETRYING and next_attempt_at:
        waiting = PlannedAttempt(attempt + 1, None, None, next_attempt_at)
        return [waiting, *_from(attempt + 2, last, next_attempt_at, backoff)]
    return list(_from(attempt + (1 if state is State.RUNNING else 2), last, None, backoff)) or None


def _from(first: int, last: int, known: datetime | None, backoff: Backoff) -> Iterator[PlannedAttempt]:
    for attempt in range(first, min(last, first + MOST_TOLD - 1) + 1):
        seconds = backoff.after(attempt - 1)
        known = known + timedelta(seconds=seconds) if known else None  # its attempts take their time beside
        yield PlannedAttempt(attempt, seconds, seconds * (1 + JITTER), known)
