"""/api/v1/dead-letters…: list them or their causes, open one, make a job of it, discard it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.letters import DEAD_LETTERS
from gateway.entrance import cursor, query
from gateway.entrance.body import read_json_body
from gateway.entrance.door import CALLER
from gateway.entrance.spans import anew_of
from gateway.reading.jobs import no_job
from gateway.redriving.redrive import Redrive, no_letter
from gateway.rest.respond import respond
from persistence.letters import letters
from persistence.questions import reads
from persistence.store.database import Database

FILTERS: Final[Mapping[str, query.Reader]] = {
    "type": query.text,  # what a foreign message calls its type may be none
    "reason": query.text,
    "fingerprint": query.text,
    "since": query.instant,
    "redriven": query.flag,
    "group": query.group,
    "limit": query.limit,
    "cursor": query.numbered_place,
}


class DeadLetters:
    """The routes of single letters and of their list."""

    def __init__(
        self, database: Database, redrive: Redrive, page_size: int, max_bytes: int, trace_url: str = ""
    ) -> None:
        self._database, self._redrive, self._trace_url = database, redrive, trace_url
        self._page_size, self._max_bytes = page_size, max_bytes

    def routes(self) -> list[web.RouteDef]:
        one = DEAD_LETTERS + "/{id}"
        return [
            web.get(DEAD_LETTERS, self.page),
            web.get(one, self.one),
            web.delete(one, self.discard),
            web.post(one + "/redrive", self.redrive),
        ]

    async def page(self, request: web.Request) -> web.Response:
        wanted = query.read(request, FILTERS)
        limit: int = wanted.pop("limit", self._page_size)
        before: int | None = wanted.pop("cursor", None)
        if wanted.pop("group", None):
            return await self._causes(letters.Filter(**wanted), limit, before)
        found = await letters.page(self._database, letters.Filter(**wanted), limit + 1, before)
        page, more = found[:limit], len(found) > limit
        next_cursor = cursor.write_number(page[-1].id) if more else None
        return respond(answers.letters.DeadLetterList([answers.letters.letter(found) for found in page], next_cursor))

    async def one(self, request: web.Request) -> web.Response:
        letter_id = query.number(request)
        query.read(request, {})
        opened = await letters.opened(self._database, letter_id)
        if opened is None:
            raise no_letter(letter_id)
        return respond(answers.letters.opened(opened))

    async def discard(self, request: web.Request) -> web.Response:
        letter_id = query.number(request)
        query.read(request, {})
        if not await letters.discard(self._database, letter_id):
            raise no_letter(letter_id)
        return web.Response(status=204)

    async def redrive(self, request: web.Request) -> web.Response:
        """202 with the job; the request's body, if there is one, is what the job is made of instead."""
        letter_id = query.number(request)
        query.read(request, {})
        edited = await read_json_body(request, self._max_bytes) if request.body_exists else None
        job_id = await self._redrive.one(letter_id, edited, request[CALLER], anew_of(request))
        job = await reads.one_job(self._database, job_id)
        if job is None:  # somebody deleted it a moment later
            raise no_job(job_id)
        answer = answers.jobs.job(job, self._trace_url)
        return respond(answer, 202, {hdrs.LOCATION: answer.links.this})

    async def _causes(self, wanted: letters.Filter, limit: int, before: int | None) -> web.Response:
        found = await letters.causes(self._database, wanted, limit + 1, before)
        page, more = found[:limit], len(found) > limit
        next_cursor = cursor.write_number(page[-1].sample.id) if more else None
        return respond(answers.letters.CauseList([answers.letters.cause(cause) for cause in page], next_cursor))
