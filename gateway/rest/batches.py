"""/api/v1/batches…: make one, add to it, close it, read one, list them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.batches import BATCHES
from gateway.entrance import cursor, query
from gateway.entrance.body import read_json_body
from gateway.entrance.door import CALLER
from gateway.entrance.problems import Refusal
from gateway.entrance.spans import trace_of, traces_of
from gateway.rest.bulk import LINES, LONGER_SECONDS, answer_of
from gateway.rest.respond import respond
from gateway.rest.submissions import key_of
from gateway.submitting import batch_request
from gateway.submitting.batches import Batches, no_batch
from gateway.submitting.bulk import Bulk
from gateway.submitting.split import jobs_of
from persistence.batches import batches
from persistence.batches.batches import Batch
from persistence.questions.pages import Place
from persistence.store.database import Database
from wire.errors import Refused
from wire.settings import Gateway


def _state(name: str, value: str) -> str:
    if value not in batches.STATES:
        raise Refused(name, f"{value[:60]!r} is not a batch's state", f"use one of {', '.join(batches.STATES)}")
    return value


FILTERS: Final[Mapping[str, query.Reader]] = {
    "state": _state,
    "name": query.text,
    "tag": query.text,
    "since": query.instant,
    "limit": query.limit,
    "cursor": query.place,
}


class BatchRoutes:
    """The routes of batches."""

    def __init__(self, made: Batches, bulk: Bulk, database: Database, settings: Gateway) -> None:
        self._made, self._bulk, self._database, self._settings = made, bulk, database, settings

    def routes(self) -> list[web.RouteDef]:
        one = BATCHES + "/{id}"
        return [
            web.post(BATCHES, self.make),
            web.get(BATCHES, self.page),
            web.get(one, self.one),
            web.post(one + "/jobs", self.add),
            web.post(one + "/close", self.close),
        ]

    async def make(self, request: web.Request) -> web.Response:
        """202 with the batch; 200 if the same request has made it before."""
        query.read(request, {})
        key = key_of(request)
        body = await read_json_body(request, self._settings.max_bulk_bytes, longer_seconds=LONGER_SECONDS)
        asked = batch_request.read(body)
        batch, before = await self._made.make(
            asked, body, scope=request[CALLER], key=key, trace=trace_of(request), traces=traces_of(request)
        )
        answer = answers.batches.batch(batch, duplicate=before)
        return respond(answer, 200 if before else 202, {hdrs.LOCATION: answer.links.this})

    async def add(self, request: web.Request) -> web.Response:
        """As POST /jobs/bulk, for an open batch."""
        batch_id = query.job_id(request)
        query.read(request, {})
        key = key_of(request)
        body = await read_json_body(request, self._settings.max_bulk_bytes, also=LINES, longer_seconds=LONGER_SECONDS)
        if (await existing(self._database, batch_id)).state != "open":
            raise closed(batch_id)
        jobs = await jobs_of(body, lines=request.content_type in LINES, most=self._settings.max_bulk_jobs)
        trace = traces_of(request)
        return answer_of(await self._bulk.take(jobs, scope=request[CALLER], key=key, trace=trace, batch_id=batch_id))

    async def one(self, request: web.Request) -> web.Response:
        batch_id = query.job_id(request)
        query.read(request, {})
        return respond(answers.batches.batch(await existing(self._database, batch_id)))

    async def page(self, request: web.Request) -> web.Response:
        wanted = query.read(request, FILTERS)
        limit: int = wanted.pop("limit", self._settings.page_size)
        after: Place | None = wanted.pop("cursor", None)
        found = await batches.page_of_batches(self._database, batches.Filter(**wanted), limit + 1, after)
        page, more = found[:limit], len(found) > limit
        next_cursor = cursor.write(page[-1]) if more else None
        return respond(answers.batches.BatchList([answers.batches.batch(batch) for batch in page], next_cursor))

    async def close(self, request: web.Request) -> web.Response:
        """200; a batch that is closed already stays so."""
        batch_id = query.job_id(request)
        query.read(request, {})
        if not await batches.close(self._database, batch_id):
            raise no_batch(batch_id)
        self._made.closed(batch_id)
        return respond(answers.batches.batch(await existing(self._database, batch_id)))


async def existing(database: Database, batch_id: UUID) -> Batch:
    """The batch, or Refusal."""
    batch = await batches.one_batch(database, batch_id)
    if batch is None:
        raise no_batch(batch_id)
    return batch


def closed(batch_id: UUID) -> Refusal:
    remedy = "make the batch with `open`: true, and close it after its last job"
    return Refusal("wrong_state", f"batch {batch_id} takes no more jobs", field="id", remedy=remedy)
