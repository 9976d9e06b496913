"""GET /api/v1/jobs…: one job, a page of jobs, a job's attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from gateway import answers, cursor, query
from gateway.problems import Refusal
from gateway.rest.respond import respond
from gateway.waiting import Waiting
from persistence import reads
from persistence.database import Database
from wire.errors import Refused

STATE_NAMES: Final = ("state", "status", "status_filter")  # what other job systems call it is taken too
FILTERS: Final[Mapping[str, query.Reader]] = {
    **dict.fromkeys(STATE_NAMES, query.state),
    "type": query.job_type,
    "queue": query.text,
    "tag": query.text,
    "batch_id": query.uuid,
    "since": query.instant,
    "limit": query.limit,
    "cursor": query.place,
}


class Jobs:
    """The routes that read jobs."""

    def __init__(self, database: Database, waiting: Waiting, page_size: int) -> None:
        self._database, self._waiting, self._page_size = database, waiting, page_size

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(answers.JOBS, self.page),
            web.get(answers.JOBS + "/{id}", self.one),
            web.get(answers.JOBS + "/{id}/attempts", self.attempts),
        ]

    async def one(self, request: web.Request) -> web.Response:
        job_id = query.job_id(request)
        wait: float = query.read(request, {"wait": query.seconds}).get("wait", 0.0)
        job = await self._job(job_id)
        if wait and not job.finished:
            await self._waiting.until_finished(job_id, wait, lambda: request.transport is None)
            job = await self._job(job_id)
        return respond(answers.job(job))

    async def page(self, request: web.Request) -> web.Response:
        wanted = query.read(request, FILTERS)
        limit: int = wanted.pop("limit", self._page_size)
        after: reads.Place | None = wanted.pop("cursor", None)
        found = await reads.page_of_jobs(self._database, _filter(wanted), limit + 1, after)
        page, more = found[:limit], len(found) > limit
        return respond(answers.JobList([answers.job(job) for job in page], cursor.write(page[-1]) if more else None))

    async def attempts(self, request: web.Request) -> web.Response:
        job_id = query.job_id(request)
        query.read(request, {})
        found = await reads.attempts_of(self._database, job_id)
        if not found:
            await self._job(job_id)  # no attempt yet, or no job
        return respond(answers.AttemptList([answers.attempt(attempt) for attempt in found], None))

    async def _job(self, job_id: UUID) -> reads.Job:
        job = await reads.one_job(self._database, job_id)
        if job is None:
            raise no_job(job_id)
        return job


def no_job(job_id: UUID) -> Refusal:
    return Refusal("not_found", f"there is no job {job_id}", field="id", remedy="it may have been deleted or retired")


def _filter(wanted: dict[str, Any]) -> reads.Filter:
    """The filter of these parameters, in which the state has one name."""
    states = {wanted.pop(name) for name in STATE_NAMES if name in wanted}
    if len(states) > 1:
        raise Refused("state", f"is asked for as {' and as '.join(sorted(states))}", "send one state")
    return reads.Filter(state=next(iter(states), None), **wanted)
