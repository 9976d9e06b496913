"""Waiting jobs that more important ones keep from being delivered at all.

A queue of RabbitMQ gives out its highest priority first, so under an endless stream of important jobs no worker ever
sees the others.  Their rows are here: a worker that has had its 49 important starts takes its fiftieth from them.  The
claim makes it safe; the message itself, when it comes, is answered by the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from persistence.database import Database, Row
from persistence.tables import WAITING, WAITS_SINCE
from wire.message import RUN, Incoming
from wire.topology import routing_key, work_queue
from wire.tracing import TRACEPARENT, TRACESTATE

WAITED: Final = timedelta(seconds=1)  # sooner, its own message may just be on the way

_FIND = f"""
SELECT j.* FROM unnest($1::text[]) AS q(queue) CROSS JOIN generate_series(1, $3 - 1) AS level CROSS JOIN LATERAL (
         SELECT id, type, queue, priority, body, run, traceparent, tracestate, {WAITS_SINCE} AS since FROM jobs
          WHERE {WAITING} AND queue = q.queue AND priority = level AND type = ANY($2)
            AND {WAITS_SINCE} < clock_timestamp() - $5::interval
          ORDER BY {WAITS_SINCE} LIMIT $4) j
 ORDER BY j.priority, j.since LIMIT $4
"""  # noqa: S608 - made of constants


async def find(
    database: Database, queues: Sequence[str], types: Sequence[str], *, below: int, limit: int
) -> list[Incoming]:
    """At most so many that are due and less important than `below`, as their messages would come; the lowest first."""
    rows = await database.fetch(_FIND, list(queues), list(types), below, limit, WAITED)
    return [_as_delivered(row) for row in rows]


def _as_delivered(row: Row) -> Incoming:
    headers = {RUN: row["run"], TRACEPARENT: row["traceparent"], TRACESTATE: row["tracestate"]}
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
