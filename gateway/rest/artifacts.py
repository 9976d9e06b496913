"""Artifacts: those of a job, their bytes, and a job's result whatever its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from aiohttp import web

from gateway import answers
from gateway.answers.artifacts import ARTIFACTS
from gateway.answers.jobs import JOBS
from gateway.artifacts.streaming import stream
from gateway.entrance import cursor, query
from gateway.entrance.problems import Refusal
from gateway.reading.jobs import no_job
from gateway.rest.respond import respond
from persistence.artifacts.artifact import Artifact, Kind
from persistence.artifacts.doom import doom
from persistence.artifacts.object_store import ObjectStore
from persistence.questions import artifacts, reads
from persistence.store.database import Database
from wire.states import State

FILTERS: Final[Mapping[str, query.Reader]] = {"limit": query.limit, "cursor": query.place}
BYTES: Final[Mapping[str, query.Reader]] = {"download": query.flag}


class Artifacts:
    """The routes."""

    def __init__(self, database: Database, store: ObjectStore, page_size: int) -> None:
        self._database, self._store, self._page_size = database, store, page_size

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(JOBS + "/{id}/artifacts", self.of_job),
            web.get(JOBS + "/{id}/result", self.result),
            web.get(ARTIFACTS + "/{id}", self.bytes_of),
            web.delete(ARTIFACTS + "/{id}", self.delete),
        ]

    async def of_job(self, request: web.Request) -> web.Response:
        job_id, wanted = query.job_id(request), query.read(request, FILTERS)
        limit: int = wanted.get("limit", self._page_size)
        found = await artifacts.of_job(self._database, job_id, limit + 1, wanted.get("cursor", artifacts.START))
        if not found:
            await self._job(job_id)  # nothing saved, or no job
        page, more = found[:limit], len(found) > limit
        items = [answers.artifacts.told(one) for one in page]
        return respond(answers.artifacts.ArtifactList(items, cursor.write(page[-1]) if more else None))

    async def result(self, request: web.Request) -> web.StreamResponse:
        job_id = query.job_id(request)
        query.read(request, {})
        job = await self._job(job_id)
        if job.state is not State.COMPLETED:
            raise Refusal("wrong_state", f"job {job_id} is {job.state} and has no result", field="id")
        if job.result_artifact is None:
            return web.Response(body=(job.result or "null").encode(), content_type="application/json")
        return await stream(request, self._store, await self._one(job.result_artifact), download=False)

    async def bytes_of(self, request: web.Request) -> web.StreamResponse:
        found = await self._one(query.job_id(request))
        download: bool = query.read(request, BYTES).get("download", False)
        return await stream(request, self._store, found, download=download)

    async def delete(self, request: web.Request) -> web.Response:
        found = await self._one(query.job_id(request))
        query.read(request, {})
        if found.kind is Kind.RESULT:
            raise Refusal(
                "wrong_state", f"artifact {found.id} is the result of job {found.job_id}", field="id",
                remedy="delete the job",
            )  # fmt: skip
        await doom(self._database, found.id)
        return web.Response(status=204)

    async def _one(self, artifact_id: UUID) -> Artifact:
        found = await artifacts.one(self._database, artifact_id)
        if found is None:
            detail = f"there is no artifact {artifact_id}"
            raise Refusal("not_found", detail, field="id", remedy="it may have been replaced, deleted or retired")
        return found

    async def _job(self, job_id: UUID) -> reads.Job:
        job = await reads.one_job(self._database, job_id)
        if job is None:
            raise no_job(job_id)
        return job
