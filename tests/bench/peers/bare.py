"""The floor: aio-pika, Postgres, and the least that keeps an outcome safe before its message is acked.

It decodes, gathers what came meanwhile, writes one grouped insert, and acks once for all of them.  No claims, no
retries, no types, no schedule, no cancel, nothing to look at: what Warren costs beside this is what its promises cost.
`python -m tests.bench.peers.bare` is one worker process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import aio_pika
import asyncpg
import pika
import uvloop
from aio_pika.abc import AbstractIncomingMessage

from tests.bench.peers import work
from tests.bench.peers.outcomes import TABLE
from tests.bench.peers.queued import put

QUEUE = "bare"
PREFETCH = 2_000
RECORD = "INSERT INTO outcomes (id, state) SELECT id, 'completed' FROM unnest($1::text[]) id"


class Worker:
    """Messages in, one insert and one ack for as many as came while the last were written."""

    def __init__(self, database: asyncpg.Connection) -> None:
        self._database, self._arrived = database, list[AbstractIncomingMessage]()
        self._some = asyncio.Event()

    async def take(self, message: AbstractIncomingMessage) -> None:
        work.begin(json.loads(message.body))
        self._arrived.append(message)
        self._some.set()

    async def record(self) -> None:
        while await self._some.wait():
            batch, self._arrived = self._arrived, []
            self._some.clear()
            await self._database.execute(RECORD, [message.message_id for message in batch])
            await batch[-1].ack(multiple=True)


async def serve() -> None:
    database = await asyncpg.connect(os.environ["DATABASE_URL"])
    async with await aio_pika.connect(os.environ["AMQP_URL"]) as connection:
        channel = await connection.channel()
        await channel.set_qos(PREFETCH)
        worker = Worker(database)
        queue = await channel.declare_queue(QUEUE, durable=True)
        await queue.consume(worker.take)
        await worker.record()


def preload(jobs: int) -> None:
    asyncio.run(_prepare())
    body = work.encoded(work.payload())
    put(os.environ["AMQP_URL"], QUEUE, ((body, _properties()) for _ in range(jobs)))


async def _prepare() -> None:
    database = await asyncpg.connect(os.environ["DATABASE_URL"])
    await database.execute(TABLE)
    await database.close()
    async with await aio_pika.connect(os.environ["AMQP_URL"]) as connection:
        await (await connection.channel()).declare_queue(QUEUE, durable=True)


@contextlib.contextmanager
def publisher() -> Iterator[Callable[[dict[str, Any]], None]]:
    """One confirmed publish a job."""
    with pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"])) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        yield lambda payload: channel.basic_publish("", QUEUE, work.encoded(payload), _properties())


def _properties() -> pika.BasicProperties:
    return pika.BasicProperties(message_id=str(uuid.uuid4()), delivery_mode=2, content_type="application/json")


if __name__ == "__main__":
    uvloop.run(serve())
