"""GET /api/v1/job-types…: what may be submitted, where it is served, and by how many workers."""

from __future__ import annotations

from aiohttp import web

from gateway import answers, query
from gateway.problems import Refusal
from gateway.rest.respond import respond
from persistence import job_types
from persistence.database import Database
from persistence.intake import unknown_type


class JobTypes:
    """The routes that read job types; not cached, because the number of workers is live."""

    def __init__(self, database: Database, lease_seconds: float) -> None:
        self._database, self._lease_seconds = database, lease_seconds

    def routes(self) -> list[web.RouteDef]:
        return [web.get(answers.JOB_TYPES, self.all), web.get(answers.JOB_TYPES + "/{name}", self.one)]

    async def all(self, request: web.Request) -> web.Response:
        query.read(request, {})
        found = await job_types.known(self._database, self._lease_seconds)
        return respond(answers.JobTypeList([answers.job_type(job_type) for job_type in found], None))

    async def one(self, request: web.Request) -> web.Response:
        query.read(request, {})
        name = request.match_info["name"]
        found = {job_type.name: job_type for job_type in await job_types.known(self._database, self._lease_seconds)}
        if name not in found:
            refused = unknown_type(name[:128], sorted(found))
            raise Refusal("not_found", f"{refused.field} {refused.problem}", field="name", remedy=refused.remedy)
        return respond(answers.job_type(found[name]))
