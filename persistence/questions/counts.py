"""How many: jobs by state, type, queue and priority, and dead letters by reason; never by counting rows.

Triggers append what each statement changed (migration 0006), and the scheduler folds the deltas into sums.  The sum of
both is read in one snapshot, so it is exact at every moment, folded or not.  Two who fold at once take different
deltas and add to the sums in one order.

How long the oldest job of a queue and a priority has been due is one probe of the index `jobs_waiting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from persistence.store.database import Database
from persistence.waits import WAITING, WAITS_SINCE
from wire.states import State

FOLDED_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Jobs:
    """So many jobs are of this kind."""

    state: State
    type: str
    queue: str
    priority: int
    jobs: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """The jobs of a state or of a type, or all of them, and how many of them somebody wants."""

    state: str | None
    type: str | None
    jobs: int
    matching: int


@dataclass(frozen=True, slots=True)
class Letters:
    """So many dead letters were kept for this reason."""

    reason: str
    redriven: bool
    letters: int


@dataclass(frozen=True, slots=True)
class Folded:
    """What the deltas of one fold tell, each of them told once, however many fold and however often they die."""

    deltas: int  # of the kind that had most
    ended: Mapping[tuple[str, str], int]  # jobs that came to their end, wherever that was; by type and state
    kept: Mapping[str, int]  # letters, by reason


_JOBS = """
SELECT state, type, queue, priority, sum(jobs)::bigint AS jobs
  FROM (SELECT state, type, queue, priority, jobs FROM job_counts
         UNION ALL SELECT state, type, queue, priority, jobs FROM job_deltas) c
 GROUP BY state, type, queue, priority HAVING sum(jobs) <> 0 ORDER BY type, queue, priority, state
"""

_CROWDS = """
SELECT state, type, sum(jobs)::bigint AS jobs, coalesce(sum(jobs) FILTER (WHERE matches), 0)::bigint AS matching
  FROM (SELECT state, type, jobs, ($1::text[] IS NULL OR state = ANY($1)) AND ($2::text IS NULL OR type = $2)
                                  AND ($3::text IS NULL OR queue = $3) AS matches
          FROM (SELECT state, type, queue, jobs FROM job_counts
                 UNION ALL SELECT state, type, queue, jobs FROM job_deltas) c) judged
 GROUP BY GROUPING SETS ((), (state), (type))
"""

_LETTERS = """
SELECT reason, redriven, sum(letters)::bigint AS letters
  FROM (SELECT reason, redriven, letters FROM letter_counts
         UNION ALL SELECT reason, redriven, letters FROM letter_deltas) c
 GROUP BY reason, redriven HAVING sum(letters) <> 0 ORDER BY reason, redriven
"""

_FOLD = """
WITH taken AS (
  DELETE FROM {one}_deltas WHERE ctid = ANY(ARRAY(SELECT ctid FROM {one}_deltas LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING {keys}, {counted}
), folded AS (
  INSERT INTO {one}_counts AS c ({keys}, {counted})
  SELECT {keys}, sum({counted}) FROM taken GROUP BY {keys} HAVING sum({counted}) <> 0 ORDER BY {keys}
      ON CONFLICT ({keys}) DO UPDATE SET {counted} = c.{counted} + excluded.{counted}
)
SELECT (SELECT count(*) FROM taken) AS taken, came.*
  FROM (SELECT) one LEFT JOIN (SELECT {told}, sum({counted}) AS many FROM taken WHERE {counted} > 0 AND {new}
                                GROUP BY {told}) came ON true
"""
_FOLD_JOBS: Final = _FOLD.format(
    one="job", counted="jobs", keys="state, type, queue, priority", told="type, state",
    new="state IN ('completed', 'failed', 'cancelled', 'expired')",
)  # fmt: skip
_FOLD_LETTERS: Final = _FOLD.format(
    one="letter", counted="letters", keys="reason, redriven", told="reason", new="NOT redriven"
)

_OLDEST = f"""
SELECT level.queue, level.priority, extract(epoch FROM clock_timestamp() - oldest.since)::float8 AS seconds
  FROM unnest($1::text[], $2::int[]) AS level(queue, priority) CROSS JOIN LATERAL (
         SELECT {WAITS_SINCE} AS since FROM jobs
          WHERE {WAITING} AND queue = level.queue AND priority = level.priority
          ORDER BY {WAITS_SINCE} LIMIT 1) oldest
 WHERE oldest.since <= clock_timestamp()
"""  # noqa: S608 - made of constants


async def jobs(database: Database) -> list[Jobs]:
    """All jobs there are, by what they are."""
    rows = await database.read(_JOBS)
    return [Jobs(State(row["state"]), row["type"], row["queue"], row["priority"], row["jobs"]) for row in rows]


async def crowds(
    database: Database, states: Iterable[State] | None, job_type: str | None, queue: str | None
) -> list[Crowd]:
    """How many there are in all, by state and by type, and how many of these a filter matches; None means any."""
    rows = await database.read(_CROWDS, None if states is None else sorted(states), job_type, queue)
    return [Crowd(row["state"], row["type"], row["jobs"] or 0, row["matching"]) for row in rows]


async def letters(database: Database) -> list[Letters]:
    """All dead letters there are."""
    return [Letters(row["reason"], row["redriven"], row["letters"]) for row in await database.read(_LETTERS)]


async def oldest(database: Database, levels: Sequence[tuple[str, int]]) -> dict[tuple[str, int], float]:
    """For how many seconds the oldest job of each queue and priority has been due; none where none is due."""
    rows = await database.read(_OLDEST, [queue for queue, _ in levels], [priority for _, priority in levels])
    return {(row["queue"], row["priority"]): row["seconds"] for row in rows}


async def fold(database: Database, limit: int = FOLDED_AT_ONCE) -> Folded:
    """Add so many deltas to the sums."""
    jobs, letters = await database.fetch(_FOLD_JOBS, limit), await database.fetch(_FOLD_LETTERS, limit)
    return Folded(
        max(int(rows[0]["taken"]) for rows in (jobs, letters)),
        {(row["type"], row["state"]): int(row["many"]) for row in jobs if row["type"]},
        {row["reason"]: int(row["many"]) for row in letters if row["reason"]},
    )
