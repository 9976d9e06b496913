"""/api/v1/schedules…: make, read, list, edit, delete; look at when one will be due, saved or not, and at its runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.schedules import SCHEDULES
from gateway.entrance import cursor, query
from gateway.entrance.body import read_json_body
from gateway.entrance.door import CALLER
from gateway.rest.respond import respond
from gateway.rest.submissions import key_of
from gateway.schedules import orders, standing
from gateway.schedules.keeping import Keeper, no_schedule
from gateway.schedules.preview import Preview, asked_preview, saved_preview
from gateway.schedules.request import readable_when
from gateway.schedules.version import version_of
from persistence.questions.pages import Place
from persistence.schedules import change, pages, runs
from persistence.schedules.schedule import Schedule
from persistence.store.database import Database

FILTERS: Final[Mapping[str, query.Reader]] = {
    "state": orders.state,
    "job_type": orders.job_type,
    "name": query.text,
    "tag": query.text,
    "since": query.instant,
    "limit": query.limit,
    "cursor": query.place,
}
OF_RUNS: Final[Mapping[str, query.Reader]] = {"fate": orders.fate, "limit": query.limit, "cursor": query.place}
OF_A_PREVIEW: Final[Mapping[str, query.Reader]] = {"n": orders.number, "after": query.instant}


class Schedules:
    """The routes that keep schedules."""

    def __init__(self, keeper: Keeper, database: Database, page_size: int, max_bytes: int) -> None:
        self._keeper, self._database = keeper, database
        self._page_size, self._max_bytes = page_size, max_bytes

    def routes(self) -> list[web.RouteDef]:
        one = SCHEDULES + "/{id}"
        return [
            web.post(SCHEDULES, self.make),
            web.get(SCHEDULES, self.page),
            web.post(SCHEDULES + "/preview", self.preview_unsaved),
            web.get(one, self.one),
            web.put(one, self.put),
            web.patch(one, self.patch),
            web.delete(one, self.delete),
            web.get(one + "/preview", self.preview),
            web.get(one + "/runs", self.runs),
        ]

    async def make(self, request: web.Request) -> web.Response:
        """201 with the schedule; 200 if the same request has made it before."""
        query.read(request, {})
        key = key_of(request)
        body = await read_json_body(request, self._max_bytes)
        made, before = await self._keeper.make(body, scope=request[CALLER], key=key)
        headers: dict[str, str] = {} if before else {hdrs.LOCATION: f"{SCHEDULES}/{made.id}"}
        return await self.answer(made, 200 if before else 201, headers, duplicate=before)

    async def one(self, request: web.Request) -> web.Response:
        schedule_id = query.job_id(request)
        query.read(request, {})
        return await self.answer(await self._keeper.existing(schedule_id))

    async def page(self, request: web.Request) -> web.Response:
        wanted = query.read(request, FILTERS)
        limit: int = wanted.pop("limit", self._page_size)
        after: Place | None = wanted.pop("cursor", None)
        found = await pages.page(self._database, pages.Filter(**wanted), limit + 1, after)
        page, more = found[:limit], len(found) > limit
        next_cursor = cursor.write(page[-1]) if more else None
        return respond(answers.schedules.ScheduleList(await self._told(page), next_cursor))

    async def put(self, request: web.Request) -> web.Response:
        """200 with the schedule as it stands then."""
        schedule_id = query.job_id(request)
        query.read(request, {})
        version = version_of(request)
        body = await read_json_body(request, self._max_bytes)
        return await self.answer(await self._keeper.put(schedule_id, body, version))

    async def patch(self, request: web.Request) -> web.Response:
        schedule_id = query.job_id(request)
        query.read(request, {})
        version = version_of(request)
        body = await read_json_body(request, self._max_bytes)
        return await self.answer(await self._keeper.patch(schedule_id, body, version))

    async def delete(self, request: web.Request) -> web.Response:
        """204; jobs that it has made stay."""
        schedule_id = query.job_id(request)
        query.read(request, {})
        if not await change.delete(self._database, schedule_id):
            raise no_schedule(schedule_id)
        return web.Response(status=204)

    async def preview(self, request: web.Request) -> web.Response:
        schedule_id = query.job_id(request)
        asked = query.read(request, OF_A_PREVIEW)
        return await _previewed(partial(saved_preview, await self._keeper.existing(schedule_id), **asked))

    async def preview_unsaved(self, request: web.Request) -> web.Response:
        asked = query.read(request, OF_A_PREVIEW)
        body = await read_json_body(request, self._max_bytes)
        return await _previewed(partial(asked_preview, body, asked))

    async def runs(self, request: web.Request) -> web.Response:
        schedule_id = query.job_id(request)
        wanted = query.read(request, OF_RUNS)
        limit: int = wanted.pop("limit", self._page_size)
        place: Place | None = wanted.pop("cursor", None)
        before = place.created_at if place else None
        found = await runs.page_of_runs(self._database, schedule_id, limit + 1, before=before, **wanted)
        if not found:
            await self._keeper.existing(schedule_id)  # no run yet, or no schedule
        page, more = found[:limit], len(found) > limit
        next_cursor = cursor.write(Place(page[-1].due_at, schedule_id)) if more else None
        return respond(answers.schedules.runs(page, next_cursor))

    async def answer(
        self, found: Schedule, status: int = 200, headers: Mapping[str, str] | None = None, *, duplicate: bool = False
    ) -> web.Response:
        """The schedule as it stands, with its version as its ETag."""
        (told,) = await self._told([found], duplicate=duplicate)
        return respond(told, status, {**(headers or {}), hdrs.ETAG: f'"{found.version}"'})

    async def _told(self, found: Sequence[Schedule], *, duplicate: bool = False) -> list[answers.schedules.Schedule]:
        ids = [one.id for one in found]
        last: Mapping[UUID, Any] = await runs.last_runs(self._database, ids) if ids else {}
        now = datetime.now(UTC)
        told = []
        for one in found:
            when = readable_when(one.plan)
            why = standing.explain(one, when, now)
            told.append(answers.schedules.schedule(one, when, why, last.get(one.id), duplicate=duplicate))
        return told


async def _previewed(look: Callable[[], Preview]) -> web.Response:
    """In a thread: a thousand due times between many excluded ones take a second, and others want to be answered."""
    return respond(await asyncio.to_thread(lambda: answers.schedules.preview(look())))
