"""Waiting jobs that more important ones keep from being delivered at all.

A queue of RabbitMQ gives out its highest priority first, so under an endless stream of important jobs no worker ever
sees the others.  Their rows are here: a worker that has had its 49 important starts takes its fiftieth from them.  The
claim makes it safe; the message itself, when it comes, is answered by the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from persistence.store.database import Database, Row
from persistence.waits import WAITING, WAITS_SINCE
from wire.message import RUN, Incoming
from wire.topology import routing_key, work_queue
from wire.tracing import Trace

WAITED: Final = timedelta(seconds=1)  # sooner, its own message may just be on the way

# The clock is asked once a statement, or the index could not tell what is due from a million jobs that are not.
# IS TRUE keeps the types out of the index of types: Postgres takes a type that came after its last count for that of a
# single job, and looked at all there were, once a level (20,000 beside a million: 335 ms a look; by what waits 0.1).
_FIND = f"""
SELECT j.* FROM unnest($1::text[]) AS q(queue) CROSS JOIN generate_series(1, $3 - 1) AS level CROSS JOIN LATERAL (
         SELECT id, type, queue, priority, body, run, traceparent, tracestate, {WAITS_SINCE} AS since FROM jobs
          WHERE {WAITING} AND queue = q.queue AND priority = level AND (type = ANY($2)) IS TRUE
            AND {WAITS_SINCE} < (SELECT clock_timestamp()) - $5::interval
            AND type <> ALL(ARRAY(SELECT name FROM pauses WHERE kind = 'type'))
          ORDER BY {WAITS_SINCE} LIMIT $4) j
 WHERE q.queue <> ALL(ARRAY(SELECT name FROM pauses WHERE kind = 'queue'))
 ORDER BY j.priority, j.since LIMIT $4
"""  # noqa: S608 - made of constants


async def find(
    database: Database, queues: Sequence[str], types: Sequence[str], *, below: int, limit: int
) -> list[Incoming]:
    """At most so many that are due and less important than `below`, as their messages would come; the lowest first."""
    rows = await database.fetch(_FIND, list(queues), list(types), below, limit, WAITED)
    return [_as_delivered(row) for row in rows]


def _as_delivered(row: Row) -> Incoming:
    headers = {RUN: row["run"], **Trace.kept(row["traceparent"], row["tracestate"]).headers()}
    return Incoming(
        body=row["body"],
        exchange="",
        routing_key=routing_key(row["type"], row["priority"]),
        queue=work_queue(row["queue"]),
        headers=headers,
        message_id=str(row["id"]),
        type=row["type"],
        priority=row["priority"],
    )
