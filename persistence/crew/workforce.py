"""Who works, as people ask: each worker with what it runs, how many there are, and the request that one ends.

The rows are written by persistence/crew/workers.py.  A worker that is asked to drain learns it from its next heartbeat,
which a hint on the control exchange brings forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from persistence.store.database import Database, Row

JOBS_TOLD: Final = 20  # of each worker in a list of all
MOST_JOBS: Final = 5_000  # as many as a process may run


class Standing(StrEnum):
    ALIVE = "alive"
    SILENT = "silent"  # no heartbeat for a lease: its jobs are about to be taken over
    DRAINING = "draining"  # finishes what it runs, then ends
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Strength:
    """What the live workers can do together."""

    alive: int
    consuming: int
    slots: int
    free_slots: int


@dataclass(frozen=True, slots=True)
class Current:
    """A job that a worker runs."""

    id: UUID
    type: str
    attempt: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A worker process, by its last heartbeat."""

    session: UUID
    name: str
    host: str
    pid: int
    version: str
    standing: Standing
    queues: Sequence[str]
    paused: Sequence[str]
    types: Sequence[str]
    concurrency: int
    free_slots: int
    waiting: int
    consuming: bool
    started_at: datetime
    heartbeat_at: datetime
    heartbeat_age_seconds: float
    last_consumed_at: datetime | None
    drain_requested_at: datetime | None
    ended_at: datetime | None
    running: int
    jobs: Sequence[Current]  # those that have run longest


_STRENGTH = """
SELECT count(*) AS alive, count(*) FILTER (WHERE consuming) AS consuming, coalesce(sum(concurrency), 0) AS slots,
       coalesce(sum(free_slots), 0) AS free_slots
  FROM workers WHERE ended_at IS NULL AND heartbeat_at > clock_timestamp() - make_interval(secs => $1)
"""

_MEMBERS = """
WITH member AS MATERIALIZED (
  SELECT w.*, extract(epoch FROM clock_timestamp() - w.heartbeat_at)::float8 AS age
    FROM workers w WHERE CASE WHEN $2::uuid IS NULL THEN ended_at IS NULL ELSE session = $2 END
), numbered AS (
  SELECT j.holder, j.id, j.type, j.attempt, j.started_at, row_number() OVER longest AS place,
         count(*) OVER (PARTITION BY j.holder) AS running
    FROM jobs j WHERE j.state = 'running' AND j.orphaned_at IS NULL AND j.holder IN (SELECT session FROM member)
  WINDOW longest AS (PARTITION BY j.holder ORDER BY j.started_at, j.id)
), held AS (
  SELECT holder, max(running) AS running,
         array_agg(id ORDER BY place) AS ids, array_agg(type ORDER BY place) AS job_types,
         array_agg(attempt ORDER BY place) AS attempts, array_agg(started_at ORDER BY place) AS starts
    FROM numbered WHERE place <= $3 GROUP BY holder
)
SELECT m.*, coalesce(h.running, 0) AS running, h.ids, h.job_types, h.attempts, h.starts,
       CASE WHEN m.ended_at IS NOT NULL THEN 'ended' WHEN m.age > $1 THEN 'silent'
            WHEN m.drain_requested_at IS NOT NULL THEN 'draining' ELSE 'alive' END AS standing
  FROM member m LEFT JOIN held h ON h.holder = m.session ORDER BY m.name, m.started_at
"""

_DRAIN = """
UPDATE workers SET drain_requested_at = coalesce(drain_requested_at, clock_timestamp())
 WHERE session = $1 AND ended_at IS NULL RETURNING session
"""


async def strength(database: Database, lease_seconds: float) -> Strength:
    """Of those that live."""
    (row,) = await database.read(_STRENGTH, lease_seconds)
    return Strength(row["alive"], row["consuming"], row["slots"], row["free_slots"])


async def members(database: Database, lease_seconds: float) -> list[Member]:
    """All that have not ended, by name, each with some of its jobs."""
    return [_member(row) for row in await database.read(_MEMBERS, lease_seconds, None, JOBS_TOLD)]


async def member(database: Database, session: UUID, lease_seconds: float) -> Member | None:
    """One of them, or one that ended within a day, with all its jobs."""
    rows = await database.read(_MEMBERS, lease_seconds, session, MOST_JOBS)
    return _member(rows[0]) if rows else None


async def ask_to_drain(database: Database, session: UUID) -> bool:
    """It is to finish what it runs and end; False if it has ended, or was never there."""
    return bool(await database.fetch(_DRAIN, session))


def _member(row: Row) -> Member:
    told = zip(row["ids"] or (), row["job_types"] or (), row["attempts"] or (), row["starts"] or (), strict=True)
    return Member(
        **{name: row[name] for name in _PLAIN},
        standing=Standing(row["standing"]),
        heartbeat_age_seconds=row["age"],
        jobs=[Current(*one) for one in told],
    )


_PLAIN = [name for name in Member.__slots__ if name not in ("standing", "heartbeat_age_seconds", "jobs")]
