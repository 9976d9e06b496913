"""Inherit: have the messages published that a clock left in the outbox when it died between commit and publish.

The sweep would find them ten seconds later, because it cannot know that their writer is gone.  Who takes over its
segments knows.  If the writer lives after all, because segments only change hands, a message or two goes out twice, and
the claim removes the copy.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import asyncpg

from persistence.accepting.accept import GRACE_SECONDS

# What is in its grace lies close together in the index, however long the outbox is
_INHERIT: Final = """
WITH left_behind AS MATERIALIZED (
  SELECT seq FROM outbox o
   WHERE publish_after > (SELECT clock_timestamp())
     AND publish_after <= (SELECT clock_timestamp() + make_interval(secs => $2)) AND tries = 0
     AND EXISTS (SELECT FROM schedule_runs r WHERE r.job_id = o.job_id AND r.segment = ANY($1::int2[]) OFFSET 0)
   ORDER BY seq FOR UPDATE SKIP LOCKED
), due AS (
  UPDATE outbox o SET publish_after = clock_timestamp() FROM left_behind l WHERE o.seq = l.seq RETURNING o.seq
)
SELECT count(*) AS rows, CASE WHEN count(*) > 0 THEN pg_notify('warren_outbox', '') END FROM due
"""


async def inherit(connection: asyncpg.Connection, segments: Collection[int]) -> int:
    """Have the sweep take them now; says how many there were."""
    return int(await connection.fetchval(_INHERIT, sorted(segments), GRACE_SECONDS))
