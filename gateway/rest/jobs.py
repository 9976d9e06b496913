"""GET /api/v1/jobs…: one job, a page of jobs, a job's attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from gateway import answers
from gateway.answers.jobs import JOBS
from gateway.entrance import query
from gateway.reading.jobs import Standing
from gateway.rest.respond import respond
from persistence.questions import reads
from persistence.store.database import Database

FILTERS: Final[Mapping[str, query.Reader]] = {
    "state": query.state,
    "type": query.job_type,
    "queue": query.text,
    "tag": query.text,
    "batch_id": query.uuid,
    "schedule_id": query.uuid,
    "since": query.instant,
    "limit": query.limit,
    "cursor": query.place,
}


class Jobs:
    """The routes that read jobs."""

    def __init__(self, standing: Standing, database: Database) -> None:
        self._standing, self._database = standing, database

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(JOBS, self.page),
            web.get(JOBS + "/{id}", self.one),
            web.get(JOBS + "/{id}/attempts", self.attempts),
        ]

    async def one(self, request: web.Request) -> web.Response:
        job_id = query.job_id(request)
        wait: float = query.read(request, {"wait": query.seconds}).get("wait", 0.0)
        return respond(await self._standing.once_ended(job_id, wait, lambda: request.transport is None))

    async def page(self, request: web.Request) -> web.Response:
        return await self.listed(query.read(request, FILTERS))

    async def listed(self, wanted: Mapping[str, Any]) -> web.Response:
        """The page that these values of `FILTERS` ask for."""
        return respond(await self._standing.page(wanted))

    async def attempts(self, request: web.Request) -> web.Response:
        job_id = query.job_id(request)
        query.read(request, {})
        found = await reads.attempts_of(self._database, job_id)
        if not found:
            await self._standing.one(job_id)  # no attempt yet, or no job
        return respond(answers.jobs.AttemptList([answers.jobs.attempt(attempt) for attempt in found], None))
