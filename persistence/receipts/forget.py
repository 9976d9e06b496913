"""Forget the receipts of jobs that have completed or are gone: one that has failed may be sent again, and must know."""

from __future__ import annotations

from typing import Final

from persistence.store.database import Database

# Looked at once an hour each; of nearly all the job has completed at the first look
_FORGET: Final = """
WITH looked AS MATERIALIZED (
  SELECT r.job_id, r.mail, NOT EXISTS (SELECT FROM jobs j WHERE j.id = r.job_id AND j.state <> 'completed') AS gone
    FROM receipts r WHERE r.looked_at < (SELECT clock_timestamp() - interval '1 hour')
   ORDER BY r.looked_at LIMIT $1 FOR UPDATE SKIP LOCKED
), noted AS (
  UPDATE receipts r SET looked_at = clock_timestamp()
    FROM looked l WHERE r.job_id = l.job_id AND r.mail = l.mail AND NOT l.gone
)
DELETE FROM receipts r USING looked l WHERE r.job_id = l.job_id AND r.mail = l.mail AND l.gone RETURNING r.job_id
"""


async def forget_receipts(database: Database, limit: int) -> int:
    """Some of them; how many."""
    return len(await database.fetch(_FORGET, limit))
