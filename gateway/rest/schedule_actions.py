"""Pause, resume, trigger and backfill a schedule, and pause or resume many: what people do to those that are there.

A pause is written before it is answered, and a clock compares what it loaded with what stands: nothing fires after the
answer.  What would have been due meanwhile is not missed, because somebody wanted it so.
"""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.jobs import JOBS
from gateway.answers.schedules import SCHEDULES
from gateway.entrance import query
from gateway.entrance.body import read_json_body
from gateway.entrance.door import CALLER
from gateway.entrance.spans import trace_of
from gateway.pausing import pause_request
from gateway.rest.respond import respond
from gateway.rest.schedules import Schedules
from gateway.schedules import orders
from gateway.schedules.keeping import no_schedule
from gateway.schedules.running import Running
from persistence.schedules import pause
from persistence.store.database import Database

MOST_BYTES: Final = 16_384


class ScheduleActions:
    """The routes that change schedules without editing them."""

    def __init__(self, schedules: Schedules, running: Running, database: Database) -> None:
        self._schedules, self._running, self._database = schedules, running, database

    def routes(self) -> list[web.RouteDef]:
        one = SCHEDULES + "/{id}"
        return [
            web.post(SCHEDULES + "/pause", self.pause_many),
            web.post(SCHEDULES + "/resume", self.resume_many),
            web.post(one + "/pause", self.pause),
            web.post(one + "/resume", self.resume),
            web.post(one + "/trigger", self.trigger),
            web.post(one + "/backfill", self.backfill),
        ]

    async def pause(self, request: web.Request) -> web.Response:
        """200 with the schedule; one that was paused stays as it was."""
        schedule_id, said = query.job_id(request), await _said(request)
        paused = await pause.pause(self._database, schedule_id, said.note, by=said.by)
        if paused is None:
            raise no_schedule(schedule_id)
        return await self._schedules.answer(paused)

    async def resume(self, request: web.Request) -> web.Response:
        """200 with the schedule; one that was not paused stays as it is."""
        schedule_id = query.job_id(request)
        await _said(request)
        return await self._schedules.answer(await self._running.resume(schedule_id))

    async def pause_many(self, request: web.Request) -> web.Response:
        many = orders.many(await _body(request), request[CALLER])
        changed = await pause.pause_all(self._database, many.which, many.said.note, many.said.by)
        return respond(answers.schedules.Changed(changed))

    async def resume_many(self, request: web.Request) -> web.Response:
        many = orders.many(await _body(request), request[CALLER])
        return respond(answers.schedules.Changed(await self._running.resume_all(many.which)))

    async def trigger(self, request: web.Request) -> web.Response:
        """202 with the run, whose job waits like any other."""
        schedule_id = query.job_id(request)
        query.read(request, {})
        body = await read_json_body(request, MOST_BYTES) if request.body_exists else b""
        at = orders.triggered_at(body, await self._database.now())
        run = answers.schedules.run(await self._running.trigger(schedule_id, at, trace_of(request)))
        return respond(run, 202, {hdrs.LOCATION: f"{JOBS}/{run.job_id}"})

    async def backfill(self, request: web.Request) -> web.Response:
        """200 with how many runs it would make, or 202 when it has been written down."""
        schedule_id = query.job_id(request)
        asked = orders.backfill(await _body(request), await self._database.now())
        made = await self._running.backfill(schedule_id, asked)
        runs = f"{SCHEDULES}/{schedule_id}/runs"
        answer = answers.schedules.Backfill(asked.since, asked.until, made, asked.dry_run)
        return respond(answer, 200) if asked.dry_run else respond(answer, 202, {hdrs.LOCATION: runs})


async def _body(request: web.Request) -> bytes:
    query.read(request, {})
    return await read_json_body(request, MOST_BYTES)


async def _said(request: web.Request) -> pause_request.Said:
    query.read(request, {})
    body = await read_json_body(request, MOST_BYTES) if request.body_exists else b""
    return pause_request.read(body, request[CALLER])
