"""What the gateway answers about how many there are, as structs.  Knows no HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from persistence.crew.workforce import Strength
from persistence.questions import counts
from wire.states import WAITING, State

STATS: Final = "/api/v1/stats"

PENDING: Final = "scheduled + queued + retrying"


class States(Struct, frozen=True):
    """How many jobs are in each state."""

    total: int
    pending: Annotated[int, Meta(description=PENDING)]
    scheduled: int
    queued: int
    running: int
    retrying: int
    completed: int
    failed: int
    cancelled: int
    expired: int


class JobCounts(Struct, frozen=True):
    """All jobs whose rows are kept, by what they are."""

    by_state: States
    by_type: dict[str, States]
    by_queue: dict[str, States]
    by_priority: Annotated[dict[str, States], Meta(description="1 to 10; those that there are")]


class WorkerCounts(Struct, frozen=True):
    alive: int
    consuming: int
    slots: Annotated[int, Meta(description="Jobs that all of them can run at once")]
    free_slots: Annotated[int, Meta(description="As of their last heartbeats")]


class LetterCounts(Struct, frozen=True):
    waiting: Annotated[int, Meta(description="Those that have not been redriven")]
    redriven: int
    by_reason: Annotated[dict[str, int], Meta(description="Of those that wait")]


class Stats(Struct, frozen=True):
    """How many there are of everything, at one moment."""

    time: datetime
    jobs: JobCounts
    workers: WorkerCounts
    dead_letters: LetterCounts


def stats(time: datetime, jobs: Sequence[counts.Jobs], letters: Sequence[counts.Letters], strength: Strength) -> Stats:
    by_state = states(jobs)
    return Stats(
        time,
        JobCounts(
            by_state,
            _each(jobs, lambda found: found.type),
            _each(jobs, lambda found: found.queue),
            _each(jobs, lambda found: str(found.priority)),
        ),
        WorkerCounts(strength.alive, strength.consuming, strength.slots, strength.free_slots),
        _letters(letters),
    )


def states(jobs: Sequence[counts.Jobs]) -> States:
    """The sum of these."""
    by_state = dict.fromkeys(State, 0)
    for found in jobs:
        by_state[found.state] += found.jobs
    pending = sum(by_state[state] for state in WAITING)
    return States(total=sum(by_state.values()), pending=pending, **{s.value: n for s, n in by_state.items()})


def _each(jobs: Sequence[counts.Jobs], key: Callable[[counts.Jobs], str]) -> dict[str, States]:
    parts: dict[str, list[counts.Jobs]] = {}
    for found in sorted(jobs, key=lambda one: (len(key(one)), key(one)) if key(one).isdecimal() else (0, key(one))):
        parts.setdefault(key(found), []).append(found)
    return {name: states(part) for name, part in parts.items()}


def _letters(letters: Sequence[counts.Letters]) -> LetterCounts:
    waiting = {found.reason: found.letters for found in letters if not found.redriven}
    return LetterCounts(sum(waiting.values()), sum(found.letters for found in letters if found.redriven), waiting)
