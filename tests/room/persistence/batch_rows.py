"""Batches to test with: made, run to their ends, ordered about; and the database that they share."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from persistence.accepting.submission import Submission
from persistence.attempts.claim import claim
from persistence.batches import batch_orders, batches
from persistence.batches.batch_ends import fold
from persistence.batches.batch_orders import Do
from persistence.batches.batches import Batch, NewBatch
from persistence.declared.job_types import register
from persistence.store.database import Database
from tests.conftest import Places
from tests.room.persistence.rows import (
    ECHO,
    LEASE_SECONDS,
    delivered,
    ended,
    field,
    submission,
    working,
    written,
)
from wire.identity import fresh_id
from wire.states import Outcome, Reason, State
from wire.tracing import Trace

THANKS = '{"type":"thanks","payload":{"to":"ada"}}'
SORRY = '{"type":"sorry","payload":{}}'
FAILED = {"outcome": Outcome.FAILED, "state": State.FAILED, "reason": Reason.PERMANENT}
COUNTED = """
SELECT count(*) AS total, count(*) FILTER (WHERE state IN ('scheduled', 'queued', 'retrying')) AS pending,
       count(*) FILTER (WHERE state = 'running') AS running, count(*) FILTER (WHERE state = 'completed') AS completed,
       count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
       count(*) FILTER (WHERE state = 'expired') AS expired
  FROM jobs WHERE batch_id = $1
"""


@contextlib.asynccontextmanager
async def batch_database(places: Places) -> AsyncIterator[Database]:
    """The types that a batch of these tests names are registered in it."""
    pool = Database(places.database_url, "test", connections=4, timeout_seconds=10)
    await register(pool, [ECHO, *[replace(ECHO, name=name, priority=8) for name in ("thanks", "sorry")]])
    yield pool
    await pool.stop()


def new(batch_id: UUID | None = None, **said: Any) -> NewBatch:
    made = NewBatch(batch_id or fresh_id(), b"hash", None, (), THANKS, SORRY, False, Trace.begin())
    return replace(made, **said)


def children(batch_id: UUID, number: int, **said: object) -> list[Submission]:
    return [submission(batch_id=batch_id, **said) for _ in range(number)]


async def made(database: Database, number: int, **said: Any) -> tuple[UUID, list[Submission]]:
    """A batch with so many children."""
    batch = new(**said)
    jobs = children(batch.id, number)
    posts = await batches.create(database, batch, jobs)

    assert posts is not None
    assert number == len(posts)
    return batch.id, jobs


async def found(database: Database, batch_id: UUID) -> Batch:
    batch = await batches.one_batch(database, batch_id)
    assert batch is not None
    return batch


async def run(database: Database, *jobs: Submission, **said: Any) -> None:
    """Claim these and record how they ended."""
    session, runs = await working(database), {job.id: await field(database, job, "run") for job in jobs}
    asked = [replace(delivered(job), run=runs[job.id]) for job in jobs]  # type: ignore[arg-type]
    claims = await claim(database, session, asked, LEASE_SECONDS, suspects=len(jobs))
    await written(database, [ended(job, claims[job.id].lease, **said) for job in jobs])


async def callbacks(database: Database, batch_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    """The type and the payload of each callback, in their order."""
    rows = await database.fetch("SELECT type, body FROM jobs WHERE type <> 'echo' ORDER BY created_at")
    said = [(row["type"], json.loads(row["body"])["payload"]) for row in rows]
    return [(kind, payload) for kind, payload in said if payload["batch"]["id"] == str(batch_id)]


async def end(database: Database) -> None:
    """What a scheduler does, until nothing is left to fold."""
    while (await fold(database))[0]:
        pass


async def give(database: Database, do: Do, batch_id: UUID, *states: State) -> list[tuple[UUID, int]]:
    """Give the order and carry it out; which running jobs were asked to end."""
    order = await batch_orders.give(database, do, batch_id, states)
    if order is None:  # it has ended and cannot be cancelled
        return []
    return [job async for chunk in batch_orders.carry_out(database, order) for job in chunk.asked]
