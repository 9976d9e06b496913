"""The routes of the dialects, made of ours: the body is put into our words before, the answer into both after."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, cast

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.answers.crawls import CRAWLS
from gateway.answers.jobs import JOBS
from gateway.answers.schedules import SCHEDULES
from gateway.dialects import bodies
from gateway.dialects.answers import in_both
from gateway.dialects.bodies import Said
from gateway.dialects.names import ATTEMPTS, EITHER, LISTS, SUBMIT, elsewhere
from gateway.dialects.pages import Pages
from gateway.entrance import query
from gateway.entrance.body import ALREADY_READ, read_json_body
from gateway.entrance.problems import Refusal
from gateway.rest.bulk import LONGER_SECONDS
from gateway.rest.jobs import Jobs
from persistence.store.database import Database
from wire.errors import Refused
from wire.settings import Gateway

TAKES_A_SCHEDULE: Final = {
    (hdrs.METH_POST, SCHEDULES), (hdrs.METH_POST, SCHEDULES + "/preview"),
    (hdrs.METH_PUT, SCHEDULES + "/{id}"), (hdrs.METH_PATCH, SCHEDULES + "/{id}"),
}  # fmt: skip


class Dialects:
    """The routes of the dialects, made of ours."""

    def __init__(self, database: Database, jobs: Jobs, settings: Gateway, max_bytes: int) -> None:
        self._pages, self._max_bytes = Pages(database, jobs, settings.page_size), max_bytes
        self._most_bytes = max(max_bytes, settings.max_bulk_bytes)  # of a crawl
        self._everywhere = settings.answer_in_dialects
        self._ours: dict[tuple[str, str], Handler] = {}

    def routes(self, ours: Iterable[web.RouteDef]) -> list[web.RouteDef]:
        """All routes: ours, which understand the names of the dialects, and theirs."""
        given = list(ours)
        # aiohttp would take a class as a handler too; we have none
        self._ours = {(route.method, route.path): cast(Handler, route.handler) for route in given}
        made = []
        for route in given:
            made.append(self._made(route, route.method, route.path, theirs=self._everywhere))
            for method, path in elsewhere(route.method, route.path):
                made.append(self._made(route, method, path, theirs=True))
        return made

    def _made(self, route: web.RouteDef, method: str, path: str, *, theirs: bool) -> web.RouteDef:
        key = (route.method, route.path)
        handler = self._ours[key]
        if key == (hdrs.METH_POST, JOBS):
            handler = self._submitting(handler, theirs=theirs, crawls=path.endswith(SUBMIT))
        elif key == (hdrs.METH_GET, JOBS):
            handler = self._listing(handler, theirs=theirs)
        elif key in TAKES_A_SCHEDULE:
            handler = self._scheduling(handler, theirs=theirs)
        elif theirs and elsewhere(*key):
            handler = _telling(handler, route.path)
        if key in EITHER and not path.endswith(ATTEMPTS):
            handler = self._either(handler, [(route.method, other) for other in EITHER[key]])
        return web.RouteDef(method, path, handler, route.kwargs)

    def _submitting(self, submit: Handler, *, theirs: bool, crawls: bool) -> Handler:
        """A crawl has thousands of articles: where one is expected, more is read than a job may have."""
        most_bytes, longer = (self._most_bytes, LONGER_SECONDS) if crawls else (self._max_bytes, 0.0)

        async def translated(request: web.Request) -> web.StreamResponse:
            body = await read_json_body(request, most_bytes, longer_seconds=longer)
            too_long = len(body) > self._max_bytes and not bodies.asks_for_a_crawl(body)  # our own route says so
            said = Said(body) if too_long else bodies.of_a_job(body, datetime.now(UTC))
            answer = self._ours[hdrs.METH_POST, _taker(said)] if said.schedule or said.crawl else submit
            response = await _asked(request, answer, said)
            return in_both(response) if theirs or said.words or said.schedule else response

        return translated

    def _scheduling(self, answer: Handler, *, theirs: bool) -> Handler:
        async def translated(request: web.Request) -> web.StreamResponse:
            said = bodies.of_a_schedule(await read_json_body(request, self._max_bytes), datetime.now(UTC))
            response = await _asked(request, answer, said)
            return in_both(response) if theirs else response

        return translated

    def _listing(self, list_ours: Handler, *, theirs: bool) -> Handler:
        async def translated(request: web.Request) -> web.StreamResponse:
            if not theirs and not Pages.asked_for(request):
                return await list_ours(request)
            return in_both(await self._pages.listed(request, numbered=theirs), LISTS[JOBS])

        return translated

    def _either(self, of_a_job: Handler, keys: Sequence[tuple[str, str]]) -> Handler:
        """What is asked of a job; where there is none with that id, of the schedule or crawl that has it."""
        others = [_telling(self._ours[key], key[1]) for key in keys]

        async def translated(request: web.Request) -> web.StreamResponse:
            try:
                return await of_a_job(request)
            except Refusal as no_job:
                if no_job.kind != "not_found":
                    raise
                for of_another in others:
                    with contextlib.suppress(Refusal, Refused):  # none either, or it is asked what only a job knows
                        return await of_another(request)
                raise

        return translated


def _taker(said: Said) -> str:
    return SCHEDULES if said.schedule else CRAWLS


async def _asked(request: web.Request, answer: Handler, said: Said) -> web.StreamResponse:
    request[ALREADY_READ] = said.body
    try:
        return await answer(request)
    except Refused as e:
        raise said.in_their_words(e) from e


def _telling(answer: Handler, path: str) -> Handler:
    """The answer of our route at this path, in both."""

    async def translated(request: web.Request) -> web.StreamResponse:
        response = await answer(request)
        listed = LISTS.get(path, "") if request.method == hdrs.METH_GET else ""
        return in_both(response, listed, str(query.job_id(request)) if path.endswith(ATTEMPTS) else "")

    return translated
