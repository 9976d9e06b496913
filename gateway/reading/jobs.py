"""Jobs as they stand, for every door of this room: one, one when it has ended, a page of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from gateway import answers
from gateway.entrance import cursor
from gateway.entrance.problems import Refusal
from gateway.telling.waiting import Waiting
from persistence.questions import reads
from persistence.questions.pages import Filter, Place
from persistence.store.database import Database


class Standing:
    """Asks Postgres, and answers in the structs of `answers`."""

    def __init__(self, database: Database, waiting: Waiting, page_size: int, trace_url: str = "") -> None:
        self._database, self._waiting, self._page_size = database, waiting, page_size
        self._trace_url = trace_url

    async def one(self, job_id: UUID) -> answers.jobs.Job:
        """The job, or Refusal."""
        return self._told(await self._found(job_id))

    async def once_ended(self, job_id: UUID, seconds: float, hung_up: Callable[[], bool]) -> answers.jobs.Job:
        """The job when it has ended, or as it stands when the time is over; Refusal if there is none."""
        job = await self._found(job_id)
        if seconds and not job.finished:
            await self._waiting.until_finished(job_id, seconds, hung_up)
            job = await self._found(job_id)
        return self._told(job)

    async def page(self, wanted: Mapping[str, Any]) -> answers.jobs.JobList:
        """The page that these values of a filter ask for."""
        rest = dict(wanted)
        limit: int = rest.pop("limit", self._page_size)
        after: Place | None = rest.pop("cursor", None)
        found = await reads.page_of_jobs(self._database, Filter(**rest), limit + 1, after)
        page, more = found[:limit], len(found) > limit
        return answers.jobs.JobList([self._told(job) for job in page], cursor.write(page[-1]) if more else None)

    async def _found(self, job_id: UUID) -> reads.Job:
        job = await reads.one_job(self._database, job_id)
        if job is None:
            raise no_job(job_id)
        return job

    def _told(self, job: reads.Job) -> answers.jobs.Job:
        return answers.jobs.job(job, self._trace_url)


def no_job(job_id: UUID) -> Refusal:
    return Refusal("not_found", f"there is no job {job_id}", field="id", remedy="it may have been deleted or retired")
