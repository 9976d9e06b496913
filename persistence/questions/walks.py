"""Which way a page of jobs is found: through all jobs, newest first, or through those of some states or of some types.

A page costs as many jobs as have to be looked at until it is full.  Postgres guesses that from each column by itself,
and takes a job's queue and its type for things that have nothing to do with each other: a page of a rare queue was a
walk through a third of a million jobs.  Nobody has to guess, because the counts say exactly how many jobs there are of
each kind; so the shortest way is chosen here, and what nothing matches is not looked for at all.

A way through several states or types reads each by its own index, newest first, and merges them.  It is asked for in a
form that no other index serves: Postgres takes the jobs of a type for spread evenly, and walked through the newest of
all for them.  Behind 80,000 fresh jobs of another type that was 150 ms, and half a second for a type that had none.

A batch knows by itself how many jobs it has.  With a tag asked beside it, Postgres made a bitmap of all jobs that have
the tag, a hundred thousand for a batch of two thousand (26 ms); of a batch that is small the jobs are looked at (1 ms).
So it is with a schedule, whose jobs are counted up to that bound when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

from persistence.questions.counts import Crowd

MOST_OF_CROWD: Final = 5_000  # looked at for a filter that no count knows: some 20 ms, if they are not in memory
MOST_AT_ONCE: Final = 3  # states or types, of each of which the newest are looked at: as many states as wait

Column = Literal["state", "type", "batch_id", "schedule_id"]
COLUMNS: Final[tuple[Column, ...]] = ("state", "type")  # those that the counts know
KINDS: Final[dict[Column, str]] = {"state": "text", "type": "text", "batch_id": "uuid", "schedule_id": "uuid"}


@dataclass(frozen=True, slots=True)
class Walk:
    """The jobs of these states or types, of this batch or this schedule, each by its own index.

    Without a column: all jobs, as Postgres sees fit.
    """

    column: Column | None = None
    values: tuple[str, ...] | tuple[UUID] = ()
    whole: bool = True  # False: there are too many on it to look at all of them


ANYWHERE: Final = Walk()


def shortest(crowds: Sequence[Crowd], limit: int, *, counted: bool) -> Walk | None:
    """The way on which the fewest jobs are looked at until there are so many; None if none matches.

    Not `counted`: there are filters that the counts know nothing of, and a page may never be full.
    """
    (everybody,) = [crowd for crowd in crowds if crowd.state is None and crowd.type is None]
    if not everybody.matching:
        return None
    through: dict[Walk, list[Crowd]] = {ANYWHERE: [everybody]} | dict(_through(crowds, name) for name in COLUMNS)
    if counted:
        return min(through, key=lambda walk: _looked_at(through[walk], limit))
    jobs = {walk: sum(crowd.jobs for crowd in met) for walk, met in through.items()}
    walk = min(jobs, key=jobs.__getitem__)
    if jobs[walk] <= MOST_OF_CROWD:
        return walk
    return replace(walk, whole=False) if 0 < len(walk.values) <= MOST_AT_ONCE else ANYWHERE


def _through(crowds: Sequence[Crowd], column: Column) -> tuple[Walk, list[Crowd]]:
    """The crowds of a column in which some match."""
    met = [crowd for crowd in crowds if getattr(crowd, column) is not None and crowd.matching]
    return Walk(column, tuple(getattr(crowd, column) for crowd in met)), met


def _looked_at(crowds: Sequence[Crowd], limit: int) -> float:
    """How many jobs, if those that match lie evenly among the others."""
    return sum(min(crowd.jobs, limit * crowd.jobs / crowd.matching) for crowd in crowds)
