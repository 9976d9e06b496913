"""Count jobs in the statement that forgets them, and forget the counts after more than a year."""

from __future__ import annotations

from typing import Final

from persistence.forgotten.classes import NEVER_RAN, class_of
from persistence.store.database import Database

# A part of the statement that deletes: of its `locked` rows, which it deletes all.
COUNTED: Final = f"""
  INSERT INTO forgotten_jobs AS f (hour, type, state, ran_class, jobs, retries, longest)
  SELECT date_trunc('hour', created_at, 'UTC'), type, $1,
         CASE WHEN finished_at >= started_at THEN {class_of("extract(epoch FROM finished_at - started_at)::float8")}
              ELSE {NEVER_RAN} END AS ran_class,
         count(*), sum(greatest(attempt - 1, 0)), max(extract(epoch FROM finished_at - started_at)::float8)
    FROM locked GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
      ON CONFLICT (hour, type, state, ran_class)
      DO UPDATE SET jobs = f.jobs + excluded.jobs, retries = f.retries + excluded.retries,
                    longest = greatest(f.longest, excluded.longest)
"""  # noqa: S608 - made of constants

_FORGET = """
DELETE FROM forgotten_jobs
 WHERE (hour, type, state, ran_class) IN (
       SELECT hour, type, state, ran_class FROM forgotten_jobs
        WHERE hour < (SELECT clock_timestamp() - interval '400 days') ORDER BY hour LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING hour
"""


async def forget_counts(database: Database, limit: int) -> int:
    """A year can be compared with the one before it for a month."""
    return len(await database.fetch(_FORGET, limit))
