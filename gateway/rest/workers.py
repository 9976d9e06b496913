"""/api/v1/workers…: who works, on what, and since when; ask one to finish and end."""

from __future__ import annotations

from uuid import UUID

from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.crew import WORKERS
from gateway.entrance import query
from gateway.entrance.problems import Refusal
from gateway.pausing.hints import Hints
from gateway.rest.respond import respond
from persistence.crew import workforce
from persistence.crew.workforce import Member
from persistence.store.database import Database
from wire.control import beat_hint


class Workers:
    """The routes of worker processes."""

    def __init__(self, database: Database, hints: Hints, lease_seconds: float) -> None:
        self._database, self._hints, self._lease_seconds = database, hints, lease_seconds

    def routes(self) -> list[web.RouteDef]:
        one = WORKERS + "/{session}"
        return [web.get(WORKERS, self.all), web.get(one, self.one), web.post(one + "/drain", self.drain)]

    async def all(self, request: web.Request) -> web.Response:
        query.read(request, {})
        found = await workforce.members(self._database, self._lease_seconds)
        return respond(answers.crew.WorkerList([answers.crew.worker(member) for member in found], None))

    async def one(self, request: web.Request) -> web.Response:
        session = query.session(request)
        query.read(request, {})
        return respond(answers.crew.worker(await self._member(session)))

    async def drain(self, request: web.Request) -> web.Response:
        """202: it takes nothing more, finishes what it runs, and ends; its supervisor starts another."""
        session = query.session(request)
        query.read(request, {})
        if not await workforce.ask_to_drain(self._database, session):
            ended = await self._member(session)
            raise Refusal("wrong_state", f"worker {session} ended at {ended.ended_at}", field="session")
        self._hints.give(beat_hint(session))
        answer = answers.crew.worker(await self._member(session))
        return respond(answer, 202, {hdrs.LOCATION: answer.links.this})

    async def _member(self, session: UUID) -> Member:
        member = await workforce.member(self._database, session, self._lease_seconds)
        if member is None:
            detail = f"there is no worker {session}"
            raise Refusal("not_found", detail, field="session", remedy=f"{WORKERS} lists them; it may be long gone")
        return member
