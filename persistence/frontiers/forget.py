"""Forget the frontiers of jobs that have ended: what came of them is in their results."""

from __future__ import annotations

from typing import Final

from persistence.store.database import Database
from wire.states import FINAL

_FINAL: Final = ", ".join(f"'{state.value}'" for state in sorted(FINAL))

# Looked at once an hour each; one that goes has been ended for a while, and its addresses go with it
_FORGET = f"""
WITH looked AS MATERIALIZED (
  SELECT f.job_id, NOT EXISTS (SELECT FROM jobs j WHERE j.id = f.job_id AND j.state NOT IN ({_FINAL})) AS ended
    FROM frontiers f WHERE f.looked_at < (SELECT clock_timestamp() - interval '1 hour')
   ORDER BY f.looked_at LIMIT $1 FOR UPDATE SKIP LOCKED
), noted AS (
  UPDATE frontiers f SET looked_at = clock_timestamp() FROM looked WHERE f.job_id = looked.job_id AND NOT looked.ended
), gone AS (
  DELETE FROM frontiers f USING looked WHERE f.job_id = looked.job_id AND looked.ended RETURNING f.job_id
), cleared AS (
  DELETE FROM frontier_addresses a USING gone WHERE a.job_id = gone.job_id
)
SELECT job_id FROM gone
"""  # noqa: S608 - made of constants


async def forget_frontiers(database: Database, limit: int) -> int:
    """Some of them; how many."""
    return len(await database.fetch(_FORGET, limit))
