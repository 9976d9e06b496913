"""GET /api/v1/jobs/{id}/logs: what a job has logged, as a list or, with `follow`, as a stream of server-sent events.

A stream begins with the last lines there are, or behind the `Last-Event-ID` that a client sends when it comes again,
and ends with the job.  Whoever comes again after that end is answered 204, at which a browser's `EventSource` rests.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec
from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.jobs import JOBS
from gateway.entrance import query
from gateway.entrance.door import request_id_of, stamp
from gateway.entrance.problems import Refusal
from gateway.reading.jobs import no_job
from gateway.rest.respond import respond
from gateway.telling.following import Following
from persistence.attempts import attempt_logs
from persistence.attempts.attempt_logs import Line, Place
from persistence.store.database import Database
from wire.states import FINAL, State

PARAMETERS: Final[Mapping[str, query.Reader]] = {
    "attempt": query.attempt, "limit": query.limit, "follow": query.flag,
}  # fmt: skip
BEAT_SECONDS: Final = 15.0  # proxies cut what is silent for a minute
WRITE_SECONDS: Final = 30.0  # who takes nothing for so long is gone
COME_AGAIN_SECONDS: Final = 2
LAST_EVENT_ID: Final = "Last-Event-ID"

_EVENT_ID: Final = re.compile(r"(?P<lease>\d{1,9})\.(?P<number>\d{1,9})(?P<end>\.end)?", re.ASCII)


class Logs:
    """The route."""

    def __init__(self, database: Database, following: Following) -> None:
        self._database, self._following = database, following

    def routes(self) -> list[web.RouteDef]:
        return [web.get(JOBS + "/{id}/logs", self.logs)]

    async def logs(self, request: web.Request) -> web.StreamResponse:
        job_id = query.job_id(request)
        wanted = query.read(request, PARAMETERS)
        attempt, limit = wanted.get("attempt"), wanted.get("limit", query.MOST_ITEMS)
        found = await attempt_logs.lines_of(self._database, job_id, attempt=attempt, limit=limit)
        if found is None:
            raise no_job(job_id)
        if not wanted.get("follow") or request.method == hdrs.METH_HEAD:
            return respond(answers.logs.logs(job_id, found))
        seen = _EVENT_ID.fullmatch(request.headers.get(LAST_EVENT_ID, ""))
        lines = [] if seen else found.lines
        after = Place(int(seen["lease"]), int(seen["number"])) if seen else _behind(found.lines, attempt_logs.START)
        if seen and seen["end"] and found.state in FINAL and _behind(found.lines, after) <= after:
            return web.Response(status=204)
        return await self._follow(request, _Stream(request, attempt), job_id, lines, after)

    async def _follow(
        self, request: web.Request, stream: _Stream, job_id: UUID, lines: list[Line], after: Place
    ) -> web.StreamResponse:
        if not self._following.admit():
            remedy = "ask again later, or for the list without follow"
            raise Refusal("unavailable", "too many follow logs here", remedy=remedy, headers={hdrs.RETRY_AFTER: "5"})
        try:
            await stream.begin()
            await stream.tell(lines)
            await self._pass_on(request, stream, job_id, after)
            await stream.response.write_eof()
        except (ConnectionError, TimeoutError):
            stream.response.force_close()  # the reader is gone
        finally:
            self._following.leave()
        return stream.response

    async def _pass_on(self, request: web.Request, stream: _Stream, job_id: UUID, after: Place) -> None:
        while request.transport is not None and not self._following.over:
            news = await self._following.news(job_id, after)
            if news is None:
                await stream.beat()  # Postgres is away: what comes meanwhile is not lost
                continue
            await stream.tell(news.lines)
            after = _behind(news.lines, after)
            if not news.more and (news.state is None or news.state in FINAL):
                await stream.end(news.state, after)
                return


class _Stream:
    """The events, as they go over the wire."""

    def __init__(self, request: web.Request, attempt: int | None) -> None:
        self._request, self._attempt = request, attempt
        self._spoke = 0.0
        headers = {hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        self.response = web.StreamResponse(headers=headers)

    async def begin(self) -> None:
        stamp(self.response, request_id_of(self._request))  # its head is gone before the door sees it
        await self.response.prepare(self._request)
        await self._write(f"retry: {COME_AGAIN_SECONDS * 1000}\n\n".encode())

    async def tell(self, lines: list[Line]) -> None:
        events = [
            b"id: %d.%d\nevent: line\ndata: %b\n\n" % (line.lease, line.number, answers.encode(answers.logs.line(line)))
            for line in lines
            if self._attempt is None or line.attempt == self._attempt
        ]
        if events:
            await self._write(b"".join(events))
        else:
            await self.beat()

    async def end(self, state: State | None, last: Place) -> None:
        said = msgspec.json.encode({"state": state})
        await self._write(b"id: %d.%d.end\nevent: end\ndata: %b\n\n" % (last.lease, last.number, said))

    async def beat(self) -> None:
        """A comment, if nothing was said for long."""
        if asyncio.get_running_loop().time() - self._spoke > BEAT_SECONDS:
            await self._write(b": beat\n\n")

    async def _write(self, said: bytes) -> None:
        self._spoke = asyncio.get_running_loop().time()
        async with asyncio.timeout(WRITE_SECONDS):
            await self.response.write(said)


def _behind(lines: list[Line], before: Place) -> Place:
    """The place of the last of these."""
    return Place(lines[-1].lease, lines[-1].number) if lines else before
