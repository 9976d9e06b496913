"""A gateway on real servers, inside the test's own loop: built from settings, listening on a port of its own."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import aiohttp
import asyncpg

from gateway.app import Room
from persistence.declared.declare import declare
from persistence.declared.job_types import JobType, register
from persistence.store.database import Database
from tests.conftest import PATIENCE_SECONDS
from wire.lifecycle import running
from wire.settings import Artifacts, Gateway, Limits, Logs, Metrics, Scheduler, Settings, Stores, Worker

JOBS = "/api/v1/jobs"
ECHO = {"type": "echo", "payload": {"message": "hi"}}

SCRAPE_ARTICLE = JobType(
    "scrape_article",
    "default",
    "Reads an article.",
    json.dumps(
        {
            "type": "object",
            "properties": {
                "url": {"type": "string"},
                "source": {"type": "string"},
                "category": {"type": "string"},
                "max_age": {"type": "number"},
                "content": {"type": "boolean"},
            },
            "required": ["url"],
            "additionalProperties": False,
        }
    ),
    5, 2, 300.0, 2.0, 300.0,
)  # fmt: skip


ARTIFACTS = Path(gettempdir()) / f"warren-gateway-{os.getpid()}"  # made if it is used


@dataclass(slots=True)
class Running:
    """A gateway, a client to it, and a look at what it stored."""

    room: Room
    client: aiohttp.ClientSession
    database_url: str

    @property
    def port(self) -> int:
        return self.room.listener.port

    async def topology_stands(self) -> None:
        """The gateway declares it by itself, but is connected a moment before it has done so."""
        await self.room.broker.wait_connected(30)
        await declare(self.room.broker, self.room.database, "auto")

    async def submit(self, body: object = ECHO, status: int | None = None, **headers: str) -> dict[str, Any]:
        """The answer, of this status; without one, that of a job that is safe: 202, or 200 when it had been before."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(JOBS, json=body, headers=given) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            assert (status or (200 if answer.get("duplicate") else 202)) == response.status, answer
        return answer

    async def open_batch(self) -> str:
        """The id of a batch that takes jobs."""
        return str((await self.post("/api/v1/batches", body={"open": True}))["id"])

    async def get(self, path: str, status: int = 200) -> dict[str, Any]:
        async with self.client.get(path) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            assert status == response.status, answer
        return answer

    async def post(self, path: str, status: int = 202, body: object = None) -> dict[str, Any]:
        async with self.client.post(path, json=body) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            assert status == response.status, answer
        return answer

    async def delete(self, path: str, status: int = 204) -> dict[str, Any] | None:
        async with self.client.delete(path) as response:
            answer: dict[str, Any] | None = await response.json(content_type=None) if await response.read() else None
            assert status == response.status, answer
        return answer

    async def sql(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        return await sql(self.database_url, statement, *arguments)

    async def hold_jobs(self) -> asyncpg.Connection:
        """A connection that keeps everybody from the jobs until it is closed."""
        holder = await asyncpg.connect(self.database_url)
        await holder.execute("BEGIN; LOCK TABLE warren.jobs IN ACCESS EXCLUSIVE MODE")
        return holder

    async def waits_for_jobs(self) -> bool:
        """Whether somebody is kept from them; pg_locks shows the neighbours' databases too, where others wait."""
        return bool(await self.sql("SELECT FROM pg_locks WHERE NOT granted AND relation = 'warren.jobs'::regclass"))

    async def finish(self, job_id: str, result: str = "null") -> None:
        """As the worker's record would."""
        await self.sql(
            "UPDATE warren.jobs SET state = 'completed', result = $2::json, finished_at = now() WHERE id = $1",
            job_id,
            result,
        )


def settings_for(stores: Stores, **gateway: object) -> Settings:
    settings = Settings()
    settings.metrics, settings.artifacts = Metrics(), Artifacts(artifacts_url=str(ARTIFACTS))
    settings.stores = stores
    settings.limits, settings.worker, settings.scheduler, settings.logs = Limits(), Worker(), Scheduler(), Logs()
    settings.gateway = Gateway(**{"host": "127.0.0.1", "port": 0, "grpc_port": 0, **gateway})  # type: ignore[arg-type]
    return settings


@asynccontextmanager
async def gateway(stores: Stores, **settings: object) -> AsyncIterator[Running]:
    """A gateway that listens; its broker may still be connecting."""
    room = Room(settings_for(stores, **settings))
    shutil.rmtree(ARTIFACTS, ignore_errors=True)
    async with running(room.services):
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{room.listener.port}", timeout=timeout, connector=aiohttp.TCPConnector(limit=0)
        ) as client:
            yield Running(room, client, stores.database_url.get_secret_value())


async def sql(database_url: str, statement: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url)
    try:
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()


async def register_types(database_url: str) -> None:
    """Types as workers would register them: `echo` takes a message and perhaps a count, `anything` takes anything."""
    schema = {
        "type": "object",
        "properties": {"message": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
        "required": ["message"],
    }
    echo = JobType("echo", "default", "Says it again.", json.dumps(schema), 5, 3, 300.0, 2.0, 300.0)
    anything = JobType(
        "anything", "other", "Takes anything.", '{"type": "object"}', 7, 1, 30.0, 2.0, 300.0,
        result_schema='{"type": "object", "required": ["said"]}',
    )  # fmt: skip
    database = Database(database_url, "test", connections=1, timeout_seconds=PATIENCE_SECONDS)
    try:
        await register(database, [echo, anything, SCRAPE_ARTICLE])
    finally:
        await database.stop()
