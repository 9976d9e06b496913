"""Cancel, delete and retry a job: what people do to one that is there already.

The row decides and the answer says how it stands; a worker that runs the job gets a hint beside it.
"""

from __future__ import annotations

from uuid import UUID

from aiohttp import hdrs, web

from gateway.answers.jobs import JOBS
from gateway.ending.cancelling import Cancelling
from gateway.entrance import query
from gateway.entrance.problems import Refusal
from gateway.entrance.spans import anew_of
from gateway.reading.jobs import Standing, no_job
from gateway.rest.respond import respond
from persistence.accepting.outbox import Publisher
from persistence.ending import cancel
from persistence.ending.cancel import Word
from persistence.store.database import Database

RETRYABLE = "only failed, cancelled and expired jobs can be sent again"


class JobActions:
    """The routes that change one job."""

    def __init__(self, database: Database, posts: Publisher, cancelling: Cancelling, standing: Standing) -> None:
        self._database, self._posts, self._cancelling, self._standing = database, posts, cancelling, standing

    def routes(self) -> list[web.RouteDef]:
        one = JOBS + "/{id}"
        return [
            web.post(one + "/cancel", self.cancel),
            web.post(one + "/retry", self.retry),
            web.delete(one, self.delete),
        ]

    async def cancel(self, request: web.Request) -> web.Response:
        """200 when it is cancelled, 202 when it runs and was asked to end."""
        job_id = query.job_id(request)
        query.read(request, {})
        word = await self._cancelling.cancel(job_id)
        return await self._as_it_stands(job_id, 202 if word is Word.ASKED else 200)

    async def delete(self, request: web.Request) -> web.Response:
        """204 when it is gone, 202 when it lived and is, or was asked to be, cancelled."""
        job_id = query.job_id(request)
        purge: bool = query.read(request, {"purge": query.flag}).get("purge", False)
        word = await self._cancelling.cancel_or_delete(job_id, purge=purge)
        return web.Response(status=204) if word is Word.DELETED else await self._as_it_stands(job_id, 202)

    async def retry(self, request: web.Request) -> web.Response:
        """202 when it waits again."""
        job_id = query.job_id(request)
        query.read(request, {})
        answer = await cancel.again(self._database, job_id, anew_of(request))
        if answer.word is Word.UNKNOWN:
            raise no_job(job_id)
        if answer.post is None:
            raise Refusal("wrong_state", f"job {job_id} is {answer.state}", field="id", remedy=RETRYABLE)
        self._posts.give([answer.post])
        return await self._as_it_stands(job_id, 202)

    async def _as_it_stands(self, job_id: UUID, status: int) -> web.Response:
        answer = await self._standing.one(job_id)  # Refusal, if somebody deleted it a moment later
        return respond(answer, status, {hdrs.LOCATION: answer.links.this} if status == 202 else {})
