"""/api/v1/crawls…: ask for articles, see how far it is, read what was found, delete it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final
from uuid import UUID

import structlog
from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.crawls import CRAWLS
from gateway.crawls import listing, request
from gateway.crawls.making import Crawls
from gateway.entrance import cursor, query
from gateway.entrance.body import read_json_body
from gateway.entrance.door import CALLER, request_id_of, stamp
from gateway.entrance.problems import Refusal
from gateway.entrance.spans import trace_of, traces_of
from gateway.rest.bulk import LONGER_SECONDS
from gateway.rest.respond import respond
from gateway.rest.submissions import key_of
from gateway.submitting.orders import Orders
from persistence.batches import batch_orders
from persistence.batches.batch_orders import Do
from persistence.crawls import forget, read
from persistence.crawls.crawl import Crawl
from persistence.store.database import Database
from wire.errors import Refused, Unavailable
from wire.settings import Gateway

log = structlog.get_logger()

FORMATS: Final = {
    "json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8",
}  # fmt: skip
WRITE_SECONDS: Final = 30.0  # who takes nothing for so long is gone


def _format(name: str, value: str) -> str:
    if value not in FORMATS:
        raise Refused(name, f"{value[:60]!r} is not a format", f"use one of {', '.join(FORMATS)}")
    return value


PARAMETERS: Final[Mapping[str, query.Reader]] = {
    "format": _format, "limit": query.limit, "cursor": query.numbered_place,
}  # fmt: skip


class CrawlRoutes:
    """The routes of crawls."""

    def __init__(self, made: Crawls, orders: Orders, database: Database, settings: Gateway) -> None:
        self._made, self._orders, self._database, self._settings = made, orders, database, settings

    def routes(self) -> list[web.RouteDef]:
        one = CRAWLS + "/{id}"
        return [
            web.post(CRAWLS, self.make),
            web.get(one + "/status", self.status),
            web.get(one + "/results", self.results),
            web.delete(one, self.delete),
        ]

    async def make(self, asked: web.Request) -> web.Response:
        """201 with the crawl; 200 if the same request has made it before."""
        query.read(asked, {})
        key = key_of(asked)
        body = await read_json_body(asked, self._settings.max_bulk_bytes, longer_seconds=LONGER_SECONDS)
        crawl, before = await self._made.make(
            request.read(body), body, scope=asked[CALLER], key=key, trace=trace_of(asked), traces=traces_of(asked)
        )
        answer = answers.crawls.receipt(crawl, duplicate=before)
        return respond(answer, 200 if before else 201, {hdrs.LOCATION: answer.links.this})

    async def status(self, asked: web.Request) -> web.Response:
        crawl_id = query.job_id(asked)
        query.read(asked, {})
        return respond(answers.crawls.status(await self._existing(crawl_id)))

    async def results(self, asked: web.Request) -> web.StreamResponse:
        """A page as JSON; all of it, as it is read, in the other formats."""
        crawl_id = query.job_id(asked)
        wanted = query.read(asked, PARAMETERS)
        form = wanted.get("format", "json")
        crawl = await self._existing(crawl_id)
        if form == "json":
            limit, after = wanted.get("limit", query.MOST_ITEMS), wanted.get("cursor", 0)
            page = await read.results(self._database, crawl_id, limit, after)
            more = bool(page) and bool(await read.results(self._database, crawl_id, 1, page[-1].ordinal))
            next_cursor = cursor.write_number(page[-1].ordinal) if more else None
            return respond(answers.crawls.results(crawl, page, next_cursor))
        for name in ("limit", "cursor"):
            if name in wanted:
                raise Refused(name, f"does not go with the format {form}", "which is sent whole; leave it out")
        written = listing.lines if form == "ndjson" else listing.rows
        return await _stream(asked, written(self._database, crawl_id), crawl_id, form)

    async def delete(self, asked: web.Request) -> web.Response:
        """204: what waits is cancelled, what runs is asked to end, and nobody can ask for it any more."""
        crawl_id = query.job_id(asked)
        query.read(asked, {})
        await self._existing(crawl_id)
        # its jobs first: a crash between the two leaves a crawl that can be deleted again, and no jobs without one
        order = await batch_orders.give(self._database, Do.DELETE, crawl_id)
        order = order or await batch_orders.give(self._database, Do.CANCEL, crawl_id)
        if order is not None:
            await self._orders.begin(order)
        await forget.delete(self._database, crawl_id)
        return web.Response(status=204)

    async def _existing(self, crawl_id: UUID) -> Crawl:
        crawl = await read.one_crawl(self._database, crawl_id)
        if crawl is None:
            raise Refusal("not_found", f"there is no crawl {crawl_id}", field="id", remedy="it may have been deleted")
        return crawl


async def _stream(asked: web.Request, pieces: AsyncIterator[bytes], crawl_id: UUID, form: str) -> web.StreamResponse:
    """The pieces as they come.  Once it has begun nothing can be answered any more: what goes wrong cuts it off."""
    headers = {hdrs.CONTENT_TYPE: FORMATS[form]}
    headers[hdrs.CONTENT_DISPOSITION] = f'attachment; filename="crawl-{crawl_id}.{form}"'
    if asked.method == hdrs.METH_HEAD:
        return web.Response(headers=headers)
    response = web.StreamResponse(headers=headers)
    stamp(response, request_id_of(asked))  # its head is gone before the door sees it
    await response.prepare(asked)
    try:
        async for piece in pieces:
            async with asyncio.timeout(WRITE_SECONDS):
                await response.write(piece)
        await response.write_eof()
    except (ConnectionError, TimeoutError):
        response.force_close()  # the reader is gone
    except Unavailable as e:
        log.warning("crawl_cut_off", crawl_id=str(crawl_id), error=str(e))
        if asked.transport is not None:
            asked.transport.abort()  # without the last chunk it is no whole answer, and its reader knows
    return response
