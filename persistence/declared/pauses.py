"""What stands still: queues and job types that somebody has paused, with who and why.

A paused queue is not consumed.  Workers learn it from their heartbeat's answer, which a hint brings forward, and one
that boots asks before it subscribes; what waits in the queue stays there, in its order.

A paused type is decided by the claim, so no job of it starts once the pause is committed.  Its messages cannot stay in
a queue that other types share: they would be delivered again and again, or stand in the others' way.  So each is held
in the outbox, uncounted, until the type is resumed; `release` then lets them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from persistence.store.database import Database, Row


class Kind(StrEnum):
    QUEUE = "queue"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Pause:
    """One queue or job type that stands still."""

    kind: Kind
    name: str
    paused_at: datetime
    paused_by: str
    note: str | None


_ALL = "SELECT kind, name, paused_at, paused_by, note FROM pauses ORDER BY kind, name"

_PAUSE = """
INSERT INTO pauses AS p (kind, name, paused_by, note) VALUES ($1, $2, $3, $4)
    ON CONFLICT (kind, name) DO UPDATE SET paused_by = excluded.paused_by, note = coalesce(excluded.note, p.note)
"""

_RESUME = "DELETE FROM pauses WHERE kind = $1 AND name = $2 RETURNING name"

_PAUSED_QUEUES = "SELECT name FROM pauses WHERE kind = 'queue'"

_RELEASE = """
WITH RECURSIVE held AS (  -- one index probe a type, however many messages are held
  (SELECT held_for FROM outbox WHERE held_for IS NOT NULL ORDER BY held_for LIMIT 1)
   UNION ALL
  SELECT (SELECT o.held_for FROM outbox o WHERE o.held_for > held.held_for ORDER BY o.held_for LIMIT 1)
    FROM held WHERE held.held_for IS NOT NULL
), resumed AS (
  SELECT held_for FROM held WHERE NOT EXISTS (SELECT FROM pauses WHERE kind = 'type' AND name = held_for)
), let_out AS MATERIALIZED (
  SELECT seq FROM outbox WHERE held_for = ANY(ARRAY(SELECT held_for FROM resumed)) ORDER BY held_for, seq LIMIT $1
     FOR UPDATE SKIP LOCKED
), released AS (
  UPDATE outbox o SET held_for = NULL, publish_after = clock_timestamp() FROM let_out WHERE o.seq = let_out.seq
)
SELECT count(*) AS released FROM let_out
"""


async def every(database: Database) -> list[Pause]:
    """All that stands still."""
    return [_pause(row) for row in await database.read(_ALL)]


async def pause(database: Database, kind: Kind, name: str, *, by: str, note: str | None) -> None:
    """Let it stand still; one that does already keeps its time, and its note unless there is a new one."""
    await database.fetch(_PAUSE, kind.value, name, by, note)


async def resume(database: Database, kind: Kind, name: str) -> bool:
    """Let it go on; False if it was not paused."""
    return bool(await database.fetch(_RESUME, kind.value, name))


async def paused_queues(database: Database) -> frozenset[str]:
    """For a worker that is about to subscribe."""
    return frozenset(row["name"] for row in await database.fetch(_PAUSED_QUEUES))


async def release(database: Database, limit: int) -> int:
    """Let out at most so many messages whose type has been resumed; says how many."""
    row = await database.fetch_one(_RELEASE, limit)
    assert row is not None
    return int(row["released"])


def _pause(row: Row) -> Pause:
    return Pause(Kind(row["kind"]), row["name"], row["paused_at"], row["paused_by"], row["note"])
