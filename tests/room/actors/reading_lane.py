"""A lane that does the job types that read the web, on a site of the tests' own."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import dramatiq

from actors.catalogue.crawl_url import crawl_url
from actors.catalogue.scrape_article import scrape_article
from actors.catalogue.scrape_website import scrape_website
from actors.trades.outbound.guard import Guard
from persistence.questions.reads import Job, one_job
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.running import Running, publish, running_lane
from tests.site.served import Site
from wire.settings import Outbound, Politeness
from wire.states import FINAL


@dataclass
class Reading:
    """What a test asks of it."""

    running: Running
    database: Database

    async def send(self, job_type: str, max_retries: int = 0, **payload: Any) -> uuid.UUID:
        job_id = uuid.uuid4()
        body = json.dumps({"type": job_type, "payload": payload, "max_retries": max_retries}).encode()
        await publish(
            self.running.amqp_url, "jobs.in", f"job.{job_type}.p5", body, type=job_type, message_id=str(job_id)
        )
        return job_id

    async def ended(self, *job_ids: uuid.UUID) -> list[Job]:
        async def all_final() -> list[Job]:
            jobs = [await one_job(self.database, job_id) for job_id in job_ids]
            found = [job for job in jobs if job is not None and job.state in FINAL]
            return found if len(found) == len(job_ids) else []

        return await eventually(all_final)

    async def result(self, job_type: str, **payload: Any) -> Any:
        return await self.result_of(await self.send(job_type, **payload))

    async def result_of(self, job_id: uuid.UUID) -> Any:
        (job,) = await self.ended(job_id)
        assert job.result is not None, job.error_message
        return json.loads(job.result)

    async def error(self, job_type: str, **payload: Any) -> str:
        (job,) = await self.ended(await self.send(job_type, **payload))
        return f"{job.reason}: {job.error_message}"


@asynccontextmanager
async def reading_lane(
    places: Places, database: Database, site: Site | Guard, *, delay_seconds: float = 0.0, concurrency: int = 4
) -> AsyncIterator[Reading]:
    """It asks that site, or whatever this client lets it ask."""

    def declares() -> None:
        for actor in (scrape_article, scrape_website, crawl_url):
            dramatiq.get_broker().declare_actor(actor)

    guard = site if isinstance(site, Guard) else Guard(Outbound(allow=(site.allowed,), ports="any"))
    pace = Politeness(delay_seconds=delay_seconds)
    async with (
        guard,
        running_lane(places, database, declares=declares, politeness=pace, concurrency=concurrency) as lane,
    ):
        yield Reading(lane, database)
