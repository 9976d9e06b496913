"""Messages that fell out of the topology: what still has an open job goes back to the outbox, the rest is kept.

With an alternate exchange a publisher is confirmed even when nothing was bound, so whoever empties `unrouted` is the
only one who can tell.  A job whose queue did not exist yet must not fail for it.  A message of another body under a
job's id is no copy of it, and is handed back by itself: it must not be taken for one and dropped.

A job whose type has moved, or is not known to every worker of its queue yet, comes here too: it is sent again with
growing waits, and its row names the queue that its type has now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from persistence.store.database import Database
from wire.agreement import job_id
from wire.errors import Refused
from wire.identity import body_hash
from wire.message import Incoming

SOONEST_SECONDS: Final = 1.0  # while a fleet is replaced, a job may meet several workers that do not know its type
LATEST_SECONDS: Final = 30.0

_RETURN = """
WITH given AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS g(id, run)), locked AS MATERIALIZED (
  SELECT j.id FROM jobs j JOIN given g ON g.id = j.id AND greatest(g.run, 1) = j.run
   WHERE j.state IN ('scheduled', 'queued', 'retrying') ORDER BY j.id FOR UPDATE OF j
), turned AS (
  UPDATE jobs j
     SET run = j.run + 1, queue = coalesce((SELECT t.queue FROM job_types t WHERE t.name = j.type), j.queue)
    FROM locked WHERE j.id = locked.id
  RETURNING j.id, j.run, coalesce(j.next_attempt_at, j.scheduled_for) AS due_at, j.created_at
), posted AS (  -- it waits for a part of the time that it has waited: that grows by itself and needs no counter
  INSERT INTO outbox (job_id, run, due_at, because, publish_after)
  SELECT id, run, due_at, $3, clock_timestamp() + make_interval(secs => greatest($4, least($5,
           extract(epoch FROM clock_timestamp() - coalesce(due_at, created_at)) * (0.5 + random() / 2))))
    FROM turned ORDER BY id
)
SELECT j.id, j.body_hash FROM jobs j JOIN given g ON g.id = j.id
"""


@dataclass(slots=True)
class Strays:
    """What could not be returned."""

    homeless: list[Incoming] = field(default_factory=list)  # no row knows their job
    reused: list[Incoming] = field(default_factory=list)  # another job has their id


async def return_to_outbox(database: Database, messages: Sequence[Incoming], because: str) -> Strays:
    """Give the open jobs among these another message; returns the messages that are no job's."""
    runs: dict[UUID, int] = {}
    for message in messages:
        if identity := _job_id(message):
            runs[identity] = max(message.run or 0, runs.get(identity, 0))  # of many copies the latest one counts
    waits = (SOONEST_SECONDS, LATEST_SECONDS)
    rows = await database.fetch(_RETURN, list(runs), list(runs.values()), because, *waits) if runs else []
    hashes, strays = {row["id"]: row["body_hash"] for row in rows}, Strays()
    for message in messages:
        known = hashes.get(_job_id(message))
        if known is None:
            strays.homeless.append(message)
        elif message.run is None and known != body_hash(message.body):
            strays.reused.append(message)
    return strays


def _job_id(message: Incoming) -> UUID | None:
    try:
        return job_id(message)
    except Refused:
        return None
