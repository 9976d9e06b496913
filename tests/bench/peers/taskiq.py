"""Taskiq on RabbitMQ through aio-pika, acknowledged when saved, results in Postgres through asyncpg."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
from taskiq.serializers import JSONSerializer
from taskiq_aio_pika import AioPikaBroker, Queue, QueueType
from taskiq_pg.asyncpg import AsyncpgResultBackend

from tests.bench.peers import work

PREFETCH = 200  # its 10 is less than what is written at once
CONNECTIONS = 8
RESULTS = "taskiq_results"

results: AsyncpgResultBackend = AsyncpgResultBackend(
    os.environ["DATABASE_URL"],
    table_name=RESULTS,
    serializer=JSONSerializer(),
    min_size=CONNECTIONS,
    max_size=CONNECTIONS,
)
broker = (
    AioPikaBroker(os.environ["AMQP_URL"], qos=PREFETCH)
    .with_queue(Queue(type=QueueType.CLASSIC))  # as everybody's here
    .with_result_backend(results)
)


@broker.task(task_name="noop")
async def noop(payload: dict[str, Any]) -> None:
    work.begin(payload)


def preload(jobs: int) -> None:
    asyncio.run(_preload(jobs))


async def _preload(jobs: int) -> None:
    await broker.startup()
    database = await asyncpg.connect(os.environ["DATABASE_URL"])
    await database.execute(f"ALTER TABLE {RESULTS} ADD COLUMN at timestamptz DEFAULT clock_timestamp()")
    await database.close()
    payload, width = work.payload(), 500
    for first in range(0, jobs, width):
        await asyncio.gather(*(noop.kiq(payload) for _ in range(min(width, jobs - first))))
    await broker.shutdown()


@contextlib.contextmanager
def publisher() -> Iterator[Callable[[dict[str, Any]], object]]:
    with asyncio.Runner() as runner:
        runner.run(broker.startup())
        yield lambda payload: runner.run(_submit(payload))
        runner.run(broker.shutdown())


async def _submit(payload: dict[str, Any]) -> None:
    await noop.kiq(payload)
