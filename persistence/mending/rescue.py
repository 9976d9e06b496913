"""Waiting jobs whose message is gone: what has been seen of their queues, and a fresh message for the overtaken.

A waiting job is overtaken when its queue has since started a job of the same or a lower priority that came due a good
while later, or was seen empty after its due time.  An honest job far back in a long backlog is neither, however old it
is: its age alone says nothing, and sending it again would flood the queue.

Which due time counts as overtaken is worked out in scheduler/overtaken.py; here it is only read and written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from persistence.store.database import Database
from persistence.waits import WAITING, WAITS_SINCE

MOST_ROUNDING: Final = 128  # a retry's wait is rounded up by at most this part of it
PER_SECOND: Final = 2_000  # fresh messages; slower than workers do them, so that no crowd arrives at once


@dataclass(frozen=True, slots=True)
class Crew:
    """A live worker, by its last heartbeat."""

    queues: Sequence[str]
    beaten_at: datetime
    waiting: int
    waiting_since: datetime | None  # when its oldest unclaimed delivery had come; None: not known


@dataclass(frozen=True, slots=True)
class Queues:
    """What Postgres knows of the queues that have waiting jobs, at a moment of its clock."""

    now: datetime
    waiting: Sequence[str]
    homes: frozenset[str]  # queues that some type is served from
    marks: Mapping[tuple[str, int], datetime]
    crews: Sequence[Crew]


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Jobs of this queue and priority that have waited since before this have lost their message."""

    queue: str
    priority: int
    before: datetime


_QUEUES = f"""
WITH RECURSIVE waiting AS (  -- one index probe a queue, however many jobs wait
  (SELECT queue FROM jobs WHERE {WAITING} ORDER BY queue LIMIT 1)
   UNION ALL
  SELECT (SELECT j.queue FROM jobs j WHERE {WAITING} AND j.queue > w.queue ORDER BY j.queue LIMIT 1)
    FROM waiting w WHERE w.queue IS NOT NULL
)
SELECT clock_timestamp() AS now, ARRAY(SELECT queue FROM waiting WHERE queue IS NOT NULL) AS waiting,
       ARRAY(SELECT DISTINCT queue FROM job_types) AS homes
"""  # noqa: S608 - made of a constant

_MARKS = "SELECT queue, priority, due_at FROM queue_marks"

_CREWS = """
SELECT queues, heartbeat_at, waiting, waiting_since FROM workers
 WHERE ended_at IS NULL AND heartbeat_at > clock_timestamp() - make_interval(secs => $1)
"""

_SEND = f"""
WITH level AS (
  SELECT * FROM unnest($1::text[], $2::int[], $3::timestamptz[]) AS l(queue, priority, before)
), found AS MATERIALIZED (
  SELECT w.id FROM level CROSS JOIN LATERAL (
    SELECT id FROM jobs j
     WHERE {WAITING} AND j.queue = level.queue AND j.priority = level.priority AND {WAITS_SINCE} < level.before
       AND j.type <> ALL(ARRAY(SELECT name FROM pauses WHERE kind = 'type'))  -- held by the outbox, not lost
       AND (j.rescued_at IS NULL OR j.rescued_at < (SELECT clock_timestamp()) - $5::interval * 2 ^ least(j.rescues, 10))
       AND (j.state <> 'retrying' OR j.started_at IS NULL
            OR j.next_attempt_at + (j.next_attempt_at - j.started_at) / {MOST_ROUNDING} < level.before)
     ORDER BY {WAITS_SINCE} LIMIT $4) w
   LIMIT $4
), unsent AS (  -- EXCEPT reads the outbox once, however wrong its statistics are; an anti join may read it once a row
  SELECT id FROM found EXCEPT SELECT job_id FROM outbox
), locked AS MATERIALIZED (
  SELECT j.id FROM jobs j WHERE j.id = ANY(ARRAY(SELECT id FROM unsent)) AND {WAITING}
     -- once more, of the row as it is now: another scheduler may have sent it since we looked
     AND (j.rescued_at IS NULL OR j.rescued_at < (SELECT clock_timestamp()) - $5::interval * 2 ^ least(j.rescues, 10))
   ORDER BY j.id FOR UPDATE SKIP LOCKED
), turned AS (
  UPDATE jobs j
     SET run = j.run + 1, rescued_at = clock_timestamp(), sent_at = clock_timestamp(),
         rescues = least(j.rescues + 1, 1000),
         queue = coalesce((SELECT t.queue FROM job_types t WHERE t.name = j.type), j.queue)
    FROM locked WHERE j.id = locked.id
  RETURNING j.id, j.run
), posted AS (
  INSERT INTO outbox (job_id, run, because, publish_after)
  SELECT id, run, 'its message was lost', clock_timestamp() + row_number() OVER (ORDER BY id) * $6::interval
    FROM turned ORDER BY id
)
SELECT count(*) AS sent FROM turned
"""  # noqa: S608 - made of constants

_SENT_LATE = f"""
WITH locked AS MATERIALIZED (
  SELECT id FROM jobs
   WHERE id = ANY($1) AND {WAITING} AND {WAITS_SINCE} < (SELECT clock_timestamp()) - interval '5 seconds'
   ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE jobs j
   SET sent_at = clock_timestamp(), queue = coalesce((SELECT t.queue FROM job_types t WHERE t.name = j.type), j.queue)
  FROM locked WHERE j.id = locked.id
"""  # noqa: S608 - made of constants


async def queues(database: Database, lease: timedelta) -> Queues:
    """All that the rescue needs to see, the moment first: what is read after it may only be newer."""
    row = await database.fetch_one(_QUEUES)
    assert row is not None
    marks = await database.fetch(_MARKS)
    crews = await database.fetch(_CREWS, lease.total_seconds())
    return Queues(
        row["now"],
        row["waiting"],
        frozenset(row["homes"]),
        {(mark["queue"], mark["priority"]): mark["due_at"] for mark in marks},
        [Crew(c["queues"], c["heartbeat_at"], c["waiting"], c["waiting_since"]) for c in crews],
    )


async def send_overtaken(database: Database, levels: Sequence[Overtaken], limit: int, again_after: timedelta) -> int:
    """Give these a fresh message, at most so many; a job that was rescued before waits twice as long each time."""
    if not levels:
        return 0
    row = await database.fetch_one(
        _SEND,
        [level.queue for level in levels],
        [level.priority for level in levels],
        [level.before for level in levels],
        limit,
        again_after,
        timedelta(seconds=1) / PER_SECOND,
    )
    assert row is not None
    return int(row["sent"])


async def sent_late(database: Database, job_ids: Sequence[UUID]) -> None:
    """Their messages go out now and not when they were due, so their place in the queue is a later one."""
    if job_ids:
        await database.fetch(_SENT_LATE, list(job_ids))
