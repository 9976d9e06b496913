"""POST /api/v1/jobs/bulk: take up to ten thousand jobs, answer for each in order.

200 says that every job is safe; 207 says that one at least is not, so that a client that reads the status alone does
not miss it.  A request of which nothing could be made safe is a 503 like any other, with the ids that were tried.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gateway import answers
from gateway.answers.bulk import BulkItem
from gateway.answers.jobs import JOBS
from gateway.entrance import query
from gateway.entrance.body import read_json_body
from gateway.entrance.door import CALLER, unavailable
from gateway.entrance.spans import traces_of
from gateway.rest.respond import respond
from gateway.rest.submissions import key_of
from gateway.submitting.bulk import Bulk
from gateway.submitting.split import jobs_of
from wire.settings import Gateway

BULK: Final = JOBS + "/bulk"
LINES: Final = frozenset({"application/x-ndjson", "application/ndjson"})
LONGER_SECONDS: Final = 45.0  # a body that is fifty times as long may take a minute to arrive
SAFE: Final = frozenset({"accepted", "duplicate"})


class BulkSubmissions:
    """The route that makes many jobs."""

    def __init__(self, bulk: Bulk, settings: Gateway) -> None:
        self._bulk, self._most_bytes, self._most_jobs = bulk, settings.max_bulk_bytes, settings.max_bulk_jobs

    def routes(self) -> list[web.RouteDef]:
        return [web.post(BULK, self.submit)]

    async def submit(self, request: web.Request) -> web.Response:
        query.read(request, {})
        key = key_of(request)
        body = await read_json_body(request, self._most_bytes, also=LINES, longer_seconds=LONGER_SECONDS)
        jobs = await jobs_of(body, lines=request.content_type in LINES, most=self._most_jobs)
        return answer_of(await self._bulk.take(jobs, scope=request[CALLER], key=key, trace=traces_of(request)))


def answer_of(items: list[BulkItem]) -> web.Response:
    """What became of them, or Refusal if nothing could be made safe."""
    statuses = {item.status for item in items}
    if "unavailable" in statuses and not statuses & SAFE:
        raise unavailable(ids=[_id(item) for item in items])
    return respond(answers.bulk.receipt(items), 200 if statuses <= SAFE else 207)


def _id(item: BulkItem) -> str | None:
    return str(item.id) if item.id else None
