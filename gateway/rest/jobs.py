"""GET /api/v1/jobs…: one job, a page of jobs, a job's attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from gateway import answers
from gateway.answers.jobs import JOBS
from gateway.entrance import cursor, query
from gateway.entrance.problems import Refusal
from gateway.rest.respond import respond
from gateway.telling.waiting import Waiting
from persistence.questions import reads
from persistence.questions.pages import Filter, Place
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

    def __init__(self, database: Database, waiting: Waiting, page_size: int, trace_url: str = "") -> None:
        self._database, self._waiting, self._page_size = database, waiting, page_size
        self._trace_url = trace_url

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(JOBS, self.page),
            web.get(JOBS + "/{id}", self.one),
            web.get(JOBS + "/{id}/attempts", self.attempts),
        ]

    async def one(self, request: web.Request) -> web.Response:
        job_id = query.job_id(request)
        wait: float = query.read(request, {"wait": query.seconds}).get("wait", 0.0)
        job = await self._job(job_id)
        if wait and not job.finished:
            await self._waiting.until_finished(job_id, wait, lambda: request.transport is None)
            job = await self._job(job_id)
        return respond(answers.jobs.job(job, self._trace_url))

    async def page(self, request: web.Request) -> web.Response:
        return await self.listed(query.read(request, FILTERS))

    async def listed(self, wanted: dict[str, Any]) -> web.Response:
        """The page that these values of `FILTERS` ask for."""
        limit: int = wanted.pop("limit", self._page_size)
        after: Place | None = wanted.pop("cursor", None)
        found = await reads.page_of_jobs(self._database, Filter(**wanted), limit + 1, after)
        page, more = found[:limit], len(found) > limit
        next_cursor = cursor.write(page[-1]) if more else None
        return respond(answers.jobs.JobList([answers.jobs.job(job, self._trace_url) for job in page], next_cursor))

    async def attempts(self, request: web.Request) -> web.Response:
        job_id = query.job_id(request)
        query.read(request, {})
        found = await reads.attempts_of(self._database, job_id)
        if not found:
            await self._job(job_id)  # no attempt yet, or no job
        return respond(answers.jobs.AttemptList([answers.jobs.attempt(attempt) for attempt in found], None))

    async def _job(self, job_id: UUID) -> reads.Job:
        job = await reads.one_job(self._database, job_id)
        if job is None:
            raise no_job(job_id)
        return job


def no_job(job_id: UUID) -> Refusal:
    return Refusal("not_found", f"there is no job {job_id}", field="id", remedy="it may have been deleted or retired")
