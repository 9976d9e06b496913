"""Who works: a row a worker process, its heartbeat by the database's clock.

Whether the holder of a running job lives is read here and nowhere else: the broker's `redelivered` flag decides
nothing, it is set on messages that nobody has ever seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from persistence.database import Database


@dataclass(frozen=True, slots=True)
class Worker:
    """One process with a lane."""

    session: UUID
    name: str
    host: str
    pid: int
    queues: Sequence[str]
    types: Sequence[str]
    concurrency: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a heartbeat says: not only that the process lives, but that it consumes."""

    free_slots: int
    consuming: bool
    idle_seconds: float | None  # since the last delivery; None before the first


_ARRIVE = """
INSERT INTO workers (session, name, host, pid, queues, types, concurrency, free_slots)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
    ON CONFLICT (session) DO UPDATE SET heartbeat_at = clock_timestamp(), ended_at = NULL
"""

_BEAT = """
UPDATE workers
   SET heartbeat_at = clock_timestamp(), free_slots = $2, consuming = $3,
       last_consumed_at = coalesce(clock_timestamp() - make_interval(secs => $4), last_consumed_at)
 WHERE session = $1
"""

_END = "UPDATE workers SET ended_at = clock_timestamp(), consuming = false WHERE session = $1 AND ended_at IS NULL"

_COUNT = """
SELECT count(*) AS alive, count(*) FILTER (WHERE consuming) AS consuming FROM workers
 WHERE ended_at IS NULL AND heartbeat_at > clock_timestamp() - make_interval(secs => $1)
"""


async def arrive(database: Database, worker: Worker) -> None:
    await database.fetch(
        _ARRIVE, worker.session, worker.name, worker.host, worker.pid, list(worker.queues), list(worker.types),
        worker.concurrency,
    )  # fmt: skip


async def beat(database: Database, session: UUID, pulse: Pulse) -> None:
    await database.fetch(_BEAT, session, pulse.free_slots, pulse.consuming, pulse.idle_seconds)


async def end(database: Database, session: UUID) -> None:
    """This process is gone: its leases end now, not after a silence."""
    await database.fetch(_END, session)


async def count_alive(database: Database, lease_seconds: float) -> tuple[int, int]:
    """How many workers live, and how many of them consume."""
    row = await database.fetch_one(_COUNT, lease_seconds)
    assert row is not None
    return row["alive"], row["consuming"]
