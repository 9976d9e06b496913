"""Work for a Warren that is about to be hurt: accepted jobs by the thousand, and callers of the HTTP door."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import httpx

from persistence.accepting import outbox
from persistence.accepting.accept import insert
from persistence.accepting.submission import Submission, fill
from persistence.declared.job_types import JobType, known
from persistence.store.database import Database
from tests.journey.api import JOBS
from tests.journey.stack import Stack
from wire import envelope
from wire.envelope import Envelope
from wire.errors import DatabaseUnavailable
from wire.identity import fresh_id
from wire.rabbitmq.amqp import Broker
from wire.tracing import Trace

CHUNK, SMALL_CHUNK = 1_000, 250
REST_SECONDS = 0.05  # as any client does before it calls again
SHORTEST_STEP, LONGEST_STEP = 0.02, 0.05

Stores = tuple[Database, Broker]


@asynccontextmanager
async def feeding(stack: Stack, count: int) -> AsyncIterator[list[str]]:
    """So many jobs of 20 to 50 ms, accepted while this lasts and until all are; the ids of those that have been.

    A chunk whose commit was not answered does not count, whatever became of it.
    """
    accepted: list[str] = []
    feeder = asyncio.create_task(_feed(stack, count, accepted))
    yield accepted
    await feeder


async def accept(stack: Stack, job_type: str, payloads: Sequence[Mapping[str, Any]]) -> list[str]:
    """Accept these and publish them with confirms, as the gateway does, only quicker."""
    async with _stores(stack) as stores:
        submissions = await _submissions(stores, job_type, [(payload, None) for payload in payloads])
        return await _accept(stores, submissions)


async def accept_for_later(stack: Stack, job_type: str, waits: Sequence[float]) -> dict[str, float]:
    """As many jobs, each due after so many seconds; when each is due, by the clock of this machine."""
    due: dict[str, float] = {}
    async with _stores(stack) as stores:
        for start in range(0, len(waits), CHUNK):
            jobs = [(_a_step(), wait) for wait in waits[start : start + CHUNK]]
            submissions = await _submissions(stores, job_type, jobs)
            await _accept(stores, submissions)
            due |= {str(one.id): one.starts_at.timestamp() for one in submissions if one.starts_at}
    return due


class Callers:
    """Clients that submit one job after the other, and call again when the gateway is dead or refuses."""

    def __init__(self, url: str, how_many: int) -> None:
        self._url, self._how_many = url, how_many
        self.accepted: list[str] = []  # what was answered 202, and nothing else
        self.refused = self.unanswered = 0
        self._over = asyncio.Event()
        self._calls: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Callers:
        self._calls = [asyncio.create_task(self._call()) for _ in range(self._how_many)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None
    ) -> None:
        self._over.set()
        await asyncio.gather(*self._calls)

    async def _call(self) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=30, trust_env=False) as client:
            while not self._over.is_set():
                try:
                    response = await client.post(JOBS, json={"type": "step", "payload": _a_step()})
                except httpx.TransportError:
                    self.unanswered += 1
                    await self._rest()
                    continue
                if response.status_code == 202:
                    self.accepted.append(str(response.json()["id"]))
                else:
                    self.refused += 1
                    await self._rest()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REST_SECONDS):
                await self._over.wait()


def _a_step() -> dict[str, float]:
    return {"seconds": round(random.uniform(SHORTEST_STEP, LONGEST_STEP), 4)}


async def _feed(stack: Stack, count: int, accepted: list[str]) -> None:
    async with _stores(stack) as stores:
        while len(accepted) < count:
            try:
                submissions = await _submissions(stores, "step", [(_a_step(), None) for _ in range(SMALL_CHUNK)])
                accepted += await _accept(stores, submissions)
            except DatabaseUnavailable:
                await asyncio.sleep(REST_SECONDS)


async def _accept(stores: Stores, submissions: Sequence[Submission]) -> list[str]:
    """Rows first; a message that is not confirmed is left to the sweep."""
    database, broker = stores
    async with database.transaction() as transaction:
        posts = await insert(transaction, submissions)
    with contextlib.suppress(DatabaseUnavailable):
        await outbox.publish(database, broker, posts)
    return [str(one.id) for one in submissions]


async def _submissions(
    stores: Stores, job_type: str, jobs: Sequence[tuple[Mapping[str, Any], float | None]]
) -> list[Submission]:
    kind = next(one for one in await known(stores[0], 15) if one.name == job_type)
    now = datetime.now(UTC)
    return [_submission(kind, payload, wait, now) for payload, wait in jobs]


def _submission(kind: JobType, payload: Mapping[str, Any], wait: float | None, now: datetime) -> Submission:
    said = Envelope(kind.name, payload, json.dumps(payload).encode(), id=fresh_id(), delay=wait)
    return fill(said, kind, envelope.encode(said), Trace.begin(), now)


@asynccontextmanager
async def _stores(stack: Stack) -> AsyncIterator[Stores]:
    database = Database(stack.database_url, "load", connections=2, timeout_seconds=60)
    broker = Broker(stack.amqp_url, "load", timeout_seconds=60)
    await broker.start()
    await broker.wait_connected()
    try:
        yield database, broker
    finally:
        await broker.stop()
        await database.stop()
