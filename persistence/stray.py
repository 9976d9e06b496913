"""Messages that fell out of the topology: what still has an open job goes back to the outbox, the rest is kept.

With an alternate exchange a publisher is confirmed even when nothing was bound, so whoever empties `unrouted` is the
only one who can tell.  A job whose queue did not exist yet must not fail for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from persistence.database import Database
from wire.agreement import job_id
from wire.errors import Refused
from wire.message import Incoming

AGAIN_AFTER_SECONDS: Final = 5.0  # long enough for a worker to come up and bind its types

_RETURN = """
WITH given AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS g(id, run)), locked AS MATERIALIZED (
  SELECT j.id FROM jobs j JOIN given g ON g.id = j.id AND greatest(g.run, 1) = j.run
   WHERE j.state IN ('scheduled', 'queued', 'retrying') ORDER BY j.id FOR UPDATE OF j
), turned AS (
  UPDATE jobs j SET run = j.run + 1 FROM locked WHERE j.id = locked.id
  RETURNING j.id, j.run, coalesce(j.next_attempt_at, j.scheduled_for) AS due_at
), posted AS (
  INSERT INTO outbox (job_id, run, due_at, because, publish_after)
  SELECT id, run, due_at, $3, clock_timestamp() + make_interval(secs => $4) FROM turned ORDER BY id
)
SELECT g.id, EXISTS (SELECT FROM jobs j WHERE j.id = g.id) AS known FROM given g
"""


async def return_to_outbox(database: Database, messages: Sequence[Incoming], because: str) -> list[Incoming]:
    """Give the open jobs among these another message; returns the messages that no row knows."""
    by_id = {identity: message for message in messages if (identity := _job_id(message))}
    if not by_id:
        return list(messages)
    runs = [message.run or 0 for message in by_id.values()]
    rows = await database.fetch(_RETURN, list(by_id), runs, because, AGAIN_AFTER_SECONDS)
    known = {row["id"] for row in rows if row["known"]}
    return [message for message in messages if _job_id(message) not in known]


def _job_id(message: Incoming) -> UUID | None:
    try:
        return job_id(message)
    except Refused:
        return None
