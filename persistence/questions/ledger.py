"""The sum of what was recorded, over all jobs: what `deploy/prove` lays beside what its witness saw.

It reads every row; it is for a database of a proof or a test, not for one that is at work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from persistence.store.database import Database
from wire.states import FINAL, State


@dataclass(frozen=True, slots=True)
class Sum:
    """Counts of jobs, and of attempts where it says so."""

    completed: int
    twice: int  # with more than one completed attempt
    unfinished: int
    blamed: Mapping[str, int]  # ended otherwise than completed: state and reason → jobs
    crashed: int  # attempts
    superseded: int  # attempts


_JOBS = "SELECT state, coalesce(state || ' ' || reason, state) AS how, count(*) AS jobs FROM jobs GROUP BY 1, 2"
_TWICE = """
SELECT count(*) AS jobs FROM (
  SELECT job_id FROM attempts WHERE outcome = 'completed' GROUP BY job_id HAVING count(*) > 1) AS t
"""
_ATTEMPTS = "SELECT outcome, count(*) AS attempts FROM attempts GROUP BY outcome"


async def recorded(database: Database) -> Sum:
    jobs = [(State(row["state"]), row["how"], row["jobs"]) for row in await database.read(_JOBS)]
    (twice,) = await database.read(_TWICE)
    attempts = {row["outcome"]: row["attempts"] for row in await database.read(_ATTEMPTS)}
    return Sum(
        completed=sum(count for state, _, count in jobs if state is State.COMPLETED),
        twice=twice["jobs"],
        unfinished=sum(count for state, _, count in jobs if state not in FINAL),
        blamed={how: count for state, how, count in jobs if state in FINAL and state is not State.COMPLETED},
        crashed=attempts.get("crashed", 0),
        superseded=attempts.get("superseded", 0),
    )
