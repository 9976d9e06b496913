"""GET /api/v1/stats: how many there are of everything; a read of sums, however many jobs there are."""

from __future__ import annotations

from aiohttp import web

from gateway import answers
from gateway.answers.stats import STATS
from gateway.entrance import query
from gateway.rest.respond import respond
from persistence.crew import workforce
from persistence.questions import counts
from persistence.store.database import Database


class Stats:
    """The one route of the counts."""

    def __init__(self, database: Database, lease_seconds: float) -> None:
        self._database, self._lease_seconds = database, lease_seconds

    def routes(self) -> list[web.RouteDef]:
        return [web.get(STATS, self.show)]

    async def show(self, request: web.Request) -> web.Response:
        query.read(request, {})
        jobs = await counts.jobs(self._database)
        letters = await counts.letters(self._database)
        strength = await workforce.strength(self._database, self._lease_seconds)
        return respond(answers.stats.stats(await self._database.now(), jobs, letters, strength))
