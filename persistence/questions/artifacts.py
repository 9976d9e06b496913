"""What is kept: the artifacts of a job, one artifact, and a result that was too large for its row."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from persistence.artifacts.artifact import Artifact
from persistence.questions.pages import Place
from persistence.store.database import Database

# An artifact that is a result counts only beside the outcome that it belongs to: the attempt that left it may have died
# before that was recorded, and the next one may have returned something else.
IS_RESULT: Final = "a.kind = 'result' AND a.state = 'kept' AND j.state = 'completed' AND a.lease = j.lease"

START: Final = Place(datetime.fromisoformat("1970-01-01T00:00:00+00:00"), UUID(int=0))

_ONE = "SELECT * FROM artifacts WHERE id = $1 AND state = 'kept'"
_OF_JOB = f"""
SELECT a.* FROM artifacts a JOIN jobs j ON j.id = a.job_id
 WHERE a.job_id = $1 AND a.state = 'kept' AND (a.kind <> 'result' OR {IS_RESULT})
   AND (a.created_at, a.id) > ($2, $3)
 ORDER BY a.created_at, a.id LIMIT $4
"""  # noqa: S608 - made of a constant


async def one(database: Database, artifact_id: UUID) -> Artifact | None:
    rows = await database.read(_ONE, artifact_id)
    return Artifact.of(rows[0]) if rows else None


async def of_job(database: Database, job_id: UUID, limit: int, after: Place) -> list[Artifact]:
    """At most so many, oldest first, from behind `after`."""
    rows = await database.read(_OF_JOB, job_id, after.created_at, after.id, limit)
    return [Artifact.of(row) for row in rows]
