"""Procrastinate: Postgres is its queue and its memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import procrastinate

from tests.bench.peers import work

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))


@app.task(name="noop")
async def noop(payload: dict[str, Any]) -> None:
    work.begin(payload)


def preload(jobs: int) -> None:
    asyncio.run(_preload(jobs))


async def _preload(jobs: int) -> None:
    payload, width = work.payload(), 1_000
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for first in range(0, jobs, width):
            await noop.batch_defer_async(*({"payload": payload} for _ in range(min(width, jobs - first))))


@contextlib.contextmanager
def publisher() -> Iterator[Callable[[dict[str, Any]], object]]:
    with asyncio.Runner() as runner:
        runner.run(app.open_async().__aenter__())
        yield lambda payload: runner.run(noop.defer_async(payload=payload))
        runner.run(app.close_async())
