"""/api/v1/job-types…: what may be submitted, where it is served, by how many workers; pause and resume one."""

from __future__ import annotations

from aiohttp import web

from gateway import answers
from gateway.answers.job_types import JOB_TYPES
from gateway.entrance import query
from gateway.entrance.problems import Refusal
from gateway.pausing.pausing import Pausing
from gateway.rest.respond import respond
from persistence.declared import job_types, pauses
from persistence.declared.pauses import Kind
from persistence.foreign.intake import unknown_type
from persistence.store.database import Database


class JobTypes:
    """The routes of job types; not cached, because the number of workers is live."""

    def __init__(self, database: Database, pausing: Pausing, lease_seconds: float) -> None:
        self._database, self._pausing, self._lease_seconds = database, pausing, lease_seconds

    def routes(self) -> list[web.RouteDef]:
        one = JOB_TYPES + "/{name}"
        return [
            web.get(JOB_TYPES, self.all),
            web.get(one, self.one),
            web.post(one + "/pause", self.pause),
            web.post(one + "/resume", self.resume),
        ]

    async def all(self, request: web.Request) -> web.Response:
        query.read(request, {})
        return respond(answers.job_types.JobTypeList(await self._known(), None))

    async def one(self, request: web.Request) -> web.Response:
        query.read(request, {})
        return respond(await self._named(request))

    async def pause(self, request: web.Request) -> web.Response:
        """200 with the type; no job of it starts after that."""
        found = await self._named(request)
        await self._pausing.pause(request, Kind.TYPE, found.name)
        return respond(await self._named(request))

    async def resume(self, request: web.Request) -> web.Response:
        """200 with the type; the scheduler lets out what was held."""
        found = await self._named(request)
        await self._pausing.resume(request, Kind.TYPE, found.name)
        return respond(await self._named(request))

    async def _named(self, request: web.Request) -> answers.job_types.JobType:
        name, found = request.match_info["name"], {job_type.name: job_type for job_type in await self._known()}
        if name not in found:
            refused = unknown_type(name[:128], sorted(found))
            raise Refusal("not_found", f"{refused.field} {refused.problem}", field="name", remedy=refused.remedy)
        return found[name]

    async def _known(self) -> list[answers.job_types.JobType]:
        stand_still = await pauses.every(self._database)
        found = await job_types.known(self._database, self._lease_seconds)
        return [answers.job_types.job_type(job_type, stand_still) for job_type in found]
