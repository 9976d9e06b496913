"""What a user of the HTTP door does, and what an onlooker reads in Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import httpx

from tests.eventually import eventually

JOBS = "/api/v1/jobs"
FINAL = ("completed", "failed", "cancelled", "expired")


class Api:
    """A client of one gateway."""

    def __init__(self, client: httpx.AsyncClient, database_url: str) -> None:
        self.client, self._database_url = client, database_url

    async def submit(self, job_type: str, payload: dict[str, Any] | None = None, **fields: Any) -> str:
        """The id of a job that was accepted."""
        response = await self.client.post(JOBS, json={"type": job_type, "payload": payload or {}, **fields})

        assert response.status_code in (202, 200), response.text  # 200: it had been accepted before
        return str(response.json()["id"])

    async def job(self, job_id: str) -> dict[str, Any]:
        return await self.get(f"{JOBS}/{job_id}")

    async def get(self, path: str) -> dict[str, Any]:
        response = await self.client.get(path)

        assert 200 == response.status_code, response.text
        return dict(response.json())

    async def finished(self, job_id: str, within: float = 60.0) -> dict[str, Any]:
        """The job once it has ended."""
        job = await self.get(f"{JOBS}/{job_id}?wait={within:g}")

        assert job["state"] in FINAL, job
        return job

    async def born(self, job_id: str) -> str:
        """Its id, once there is a row for what was published."""

        async def known() -> bool:
            return (await self.client.get(f"{JOBS}/{job_id}")).status_code == 200

        await eventually(known)
        return job_id

    async def all_finished(self, *job_ids: str, within: float = 60.0) -> list[dict[str, Any]]:
        return list(await asyncio.gather(*(self.finished(job_id, within) for job_id in job_ids)))

    async def is_running(self, job_id: str) -> bool:
        return bool((await self.job(job_id))["state"] == "running")

    async def has_started(self, job_id: str) -> bool:
        """Whether it runs or has run: what is short may be over before anybody looks."""
        return bool(await self.sql("SELECT 1 FROM jobs WHERE id = $1 AND started_at IS NOT NULL", job_id))

    async def attempts(self, job_id: str) -> list[dict[str, Any]]:
        return list((await self.get(f"{JOBS}/{job_id}/attempts"))["items"])

    async def sql(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        return await sql(self._database_url, statement, *arguments)


@asynccontextmanager
async def client(url: str, database_url: str) -> AsyncIterator[Api]:
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=url, timeout=90, limits=limits, trust_env=False) as link:
        yield Api(link, database_url)


async def sql(database_url: str, statement: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "warren"})
    try:
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
