"""A backlog of one type's jobs, and how fast workers do away with it, as Postgres saw it.

The rows stand and the messages wait in their queue before a worker starts, so that nothing but the workers, the broker
and Postgres is measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from persistence.accepting import outbox
from persistence.accepting.accept import insert
from persistence.accepting.submission import Submission, fill
from persistence.declared.job_types import JobType, known
from persistence.store.database import Database
from tests.eventually import eventually
from tests.journey.api import sql
from tests.journey.stack import Stack
from wire import envelope
from wire.envelope import Envelope
from wire.identity import fresh_id
from wire.rabbitmq.amqp import Broker
from wire.tracing import Trace

ACTORS = "tests.bench.noop_jobs"
CHUNK = 1_000
LOOK_SECONDS = 0.25  # a look counts all rows, and is not for nothing
TYPES = "SELECT name FROM warren.job_types"
DONE = """
SELECT count(*) FILTER (WHERE state = 'completed') AS done,
       extract(epoch FROM max(finished_at) - min(started_at)) AS took
  FROM warren.jobs WHERE created_at >= $1
"""


def declare(stack: Stack) -> None:
    """Let workers register the types, and end."""
    stack.workers(processes=1, WARREN_ACTORS=ACTORS)
    asyncio.run(eventually(lambda: _registered(stack), within=30))
    stack.stop("actors")


def drained(stack: Stack, job_type: str, jobs: int, *, processes: int, concurrency: int = 100) -> float:
    """Accept so many and let workers do them: the jobs a second, from the first start to the last outcome."""
    begun = asyncio.run(preload(stack, job_type, jobs))
    stack.workers("actors", "--concurrency", str(concurrency), processes=processes, WARREN_ACTORS=ACTORS)
    took = asyncio.run(until_done(stack, begun, jobs))
    stack.stop("actors")
    return jobs / took


async def preload(
    stack: Stack, job_type: str, jobs: int, payload: bytes = b"{}", traced: Callable[[], Trace] = Trace.begin
) -> datetime:
    """Accept and publish so many, as the gateway does; says since when they are."""
    database = Database(stack.database_url, "bench", connections=2, timeout_seconds=60)
    broker = Broker(stack.amqp_url, "bench", timeout_seconds=60)
    await broker.start()
    await broker.wait_connected()
    begun, registered = await database.now(), await known(database, 15)
    (mine,) = [one for one in registered if one.name == job_type]
    for first in range(0, jobs, CHUNK):
        async with database.transaction() as transaction:
            posts = await insert(
                transaction, [_submission(mine, payload, traced()) for _ in range(min(CHUNK, jobs - first))]
            )
        await outbox.publish(database, broker, posts)
    await broker.stop()
    await database.stop()
    return begun


def _submission(job_type: JobType, payload: bytes, trace: Trace) -> Submission:
    said = Envelope(job_type.name, {}, payload, id=fresh_id())
    return fill(said, job_type, envelope.encode(said), trace, datetime.now(UTC))


async def _registered(stack: Stack) -> bool:
    return "noop" in {row["name"] for row in await sql(stack.database_url, TYPES)}


async def until_done(stack: Stack, begun: datetime, jobs: int) -> float:
    """The seconds it took from the first start to the last outcome."""
    async with asyncio.timeout(150):
        while True:
            (row,) = await sql(stack.database_url, DONE, begun)
            if row["done"] >= jobs:
                return float(row["took"])
            await asyncio.sleep(LOOK_SECONDS)
