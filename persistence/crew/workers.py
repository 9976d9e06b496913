"""Who works: a row a worker process, its heartbeat by the database's clock.

Whether the holder of a running job lives is read here and nowhere else: the broker's `redelivered` flag decides
nothing, it is set on messages that nobody has ever seen.

A heartbeat is answered with orders: which of the held jobs are to be cancelled, which leases are gone, which queues
stand still, and whether the process is to end.  One that was judged dead is told so and goes on as a worker: what
nobody has taken over it keeps, the rest is lost to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from persistence.crew.crashes import bury
from persistence.store.database import Database

GAP_SECONDS: Final = 10.0  # of three missed beats; a longer one says that Postgres was away, or we were


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
    version: str = ""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a heartbeat says: not only that the process lives, but that it consumes."""

    free_slots: int
    consuming: bool
    idle_seconds: float | None  # since the last delivery; None before the first
    waiting: int = 0  # deliveries that are here and not claimed
    waiting_seconds: float | None = None  # how long the oldest of them has been here; None: not known
    paused: Sequence[str] = ()  # of its queues, those that it does not consume now
    draining: bool = False  # it finishes what runs, and ends
    # by queue and priority, the latest due time among jobs whose first start here was since the last beat
    marks: Mapping[tuple[str, int], datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """A job that the process runs."""

    job_id: UUID
    lease: int


@dataclass(frozen=True, slots=True)
class Orders:
    """The answer to a heartbeat."""

    cancel: frozenset[UUID]  # somebody asked for it, and the lease is still ours
    lost: frozenset[UUID]  # another has the lease, or the job is gone: stop, whatever comes of it is superseded
    alive: bool  # False: we had been judged dead; our row lives again from now on
    paused: frozenset[str] = frozenset()  # queues that must not be consumed
    drain: bool = False  # finish what runs, and end
    forgotten: frozenset[UUID] = frozenset()  # Postgres has crashed since they were claimed: remind it


_ARRIVE = """
INSERT INTO workers (session, name, host, pid, queues, types, concurrency, free_slots, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
    ON CONFLICT (session) DO NOTHING
"""

_BEAT = """
WITH before AS MATERIALIZED (
  SELECT session, ended_at IS NOT NULL AS ended, drain_requested_at FROM workers WHERE session = $1 FOR UPDATE
), beaten AS (
  UPDATE workers w
     SET heartbeat_at = clock_timestamp(), ended_at = NULL, free_slots = $2, consuming = $3, waiting = $5,
         paused = $13,
         drain_requested_at = CASE WHEN $14 THEN coalesce(w.drain_requested_at, clock_timestamp())
                                   ELSE w.drain_requested_at END,
         waiting_since = clock_timestamp() - make_interval(secs => $6),
         last_consumed_at = coalesce(clock_timestamp() - make_interval(secs => $4), last_consumed_at),
         steady_since = CASE WHEN before.ended OR w.heartbeat_at < clock_timestamp() - make_interval(secs => $12)
                             THEN clock_timestamp() ELSE w.steady_since END
    FROM before WHERE w.session = before.session
), marked AS (
  INSERT INTO queue_marks AS m (queue, priority, due_at)
  SELECT queue, priority, due_at FROM unnest($7::text[], $8::int[], $9::timestamptz[]) AS g(queue, priority, due_at)
   ORDER BY queue, priority  -- two workers' beats must lock them in one order
      ON CONFLICT (queue, priority) DO UPDATE SET due_at = excluded.due_at, at = clock_timestamp()
   WHERE m.due_at < excluded.due_at
), held AS MATERIALIZED (
  SELECT g.id, j.cancel_requested_at IS NOT NULL AS cancel, j.orphaned_at,
         coalesce(j.state = 'running' AND j.lease = g.lease AND j.holder = $1, false) AS ours,
         coalesce(j.state IN ('queued', 'scheduled', 'retrying') AND j.lease < g.lease, false) AS forgotten
    FROM unnest($10::uuid[], $11::int[]) AS g(id, lease) LEFT JOIN jobs j ON j.id = g.id
), orphans AS MATERIALIZED (
  SELECT j.id FROM jobs j JOIN unnest($10::uuid[], $11::int[]) AS g(id, lease) ON g.id = j.id AND g.lease = j.lease
   WHERE j.state = 'running' AND j.id IN (SELECT id FROM held WHERE ours AND orphaned_at IS NOT NULL)
   ORDER BY j.id FOR UPDATE OF j
), kept AS (
  UPDATE jobs j SET orphaned_at = NULL FROM orphans WHERE j.id = orphans.id
)
SELECT coalesce((SELECT NOT ended FROM before), false) AS alive,
       ARRAY(SELECT id FROM held WHERE NOT (ours OR forgotten)) AS lost,
       ARRAY(SELECT id FROM held WHERE forgotten) AS forgotten,
       ARRAY(SELECT id FROM held WHERE ours AND cancel) AS cancel,
       ARRAY(SELECT name FROM pauses WHERE kind = 'queue') AS paused,
       EXISTS (SELECT FROM before WHERE drain_requested_at IS NOT NULL) AS drain
"""

_COUNT = """
SELECT count(*) AS alive, count(*) FILTER (WHERE consuming) AS consuming FROM workers
 WHERE ended_at IS NULL AND heartbeat_at > clock_timestamp() - make_interval(secs => $1)
"""


async def arrive(database: Database, worker: Worker) -> None:
    """Have a row; one that stands is left as it is, so that a beat can tell whether we were judged dead."""
    await database.fetch(
        _ARRIVE, worker.session, worker.name, worker.host, worker.pid, list(worker.queues), list(worker.types),
        worker.concurrency, worker.version,
    )  # fmt: skip


async def beat(database: Database, session: UUID, pulse: Pulse, held: Sequence[Held] = ()) -> Orders:
    """Say that this process lives and what it holds; the answer is one statement's, whatever it holds."""
    row = await database.fetch_one(
        _BEAT,
        session,
        pulse.free_slots,
        pulse.consuming,
        pulse.idle_seconds,
        pulse.waiting,
        pulse.waiting_seconds,
        [queue for queue, _ in pulse.marks],
        [priority for _, priority in pulse.marks],
        list(pulse.marks.values()),
        [one.job_id for one in held],
        [one.lease for one in held],
        GAP_SECONDS,
        list(pulse.paused),
        pulse.draining,
    )
    assert row is not None
    return Orders(
        frozenset(row["cancel"]), frozenset(row["lost"]), row["alive"], frozenset(row["paused"]), row["drain"],
        frozenset(row["forgotten"]),
    )  # fmt: skip


async def end(database: Database, session: UUID, blamed: Sequence[UUID] | None = None) -> None:
    """This process is gone: its leases end now, not after a silence.

    `blamed`: the jobs at fault, where that is known; nobody is, when it ended in peace.
    """
    await bury(database, [session], blamed=blamed)


async def count_alive(database: Database, lease_seconds: float) -> tuple[int, int]:
    """How many workers live, and how many of them consume."""
    row = await database.fetch_one(_COUNT, lease_seconds)
    assert row is not None
    return row["alive"], row["consuming"]
