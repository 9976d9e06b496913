"""Remind Postgres of claims that it has forgotten.

A start may be forgotten when Postgres crashes (persistence/store/forgettable.py): its row waits again, while the job
runs.  Its process says at its next heartbeat what it holds, and the row learns it here, before anybody sends the job
once more.  Who has claimed it meanwhile has the lease: a row that does not wait is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from persistence.crew.workers import Held
from persistence.store.database import Database

log = structlog.get_logger()


# Asked of each row at its place: in this form (IS TRUE) no index of what waits serves (see claim.py).
_REMIND: Final = """
WITH forgotten AS MATERIALIZED (
  SELECT j.id, g.lease FROM jobs j JOIN unnest($2::uuid[], $3::int[]) AS g(id, lease) ON g.id = j.id
   WHERE j.id = ANY($2) AND (j.state IN ('queued', 'scheduled', 'retrying') AND j.lease < g.lease) IS TRUE
   ORDER BY j.id FOR UPDATE OF j
)
UPDATE jobs j
   SET state = 'running', lease = f.lease, holder = $1, attempt = j.attempt + 1, started_at = clock_timestamp(),
       finished_at = NULL, next_attempt_at = NULL, orphaned_at = NULL
  FROM forgotten f WHERE j.id = f.id
RETURNING j.id
"""


async def remind(database: Database, session: UUID, held: Sequence[Held]) -> None:
    """This session runs these."""
    rows = await database.fetch(_REMIND, session, [one.job_id for one in held], [one.lease for one in held])
    if rows:
        log.warning("claims_were_forgotten", jobs=len(rows))
