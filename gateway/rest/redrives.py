"""/api/v1/dead-letters/redrive…: redrive by filter; begin, rehearse, look how far it is, stop it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.letters import REDRIVES
from gateway.entrance import query
from gateway.entrance.body import read_json_body
from gateway.entrance.problems import Refusal
from gateway.redriving.redrive import Redrive
from gateway.redriving.redrive_request import read
from gateway.redriving.redriver import Redriver
from gateway.rest.respond import respond
from persistence.letters import redrive_runs
from persistence.letters.redrive_runs import Run
from persistence.store.database import Database

MOST_BYTES: Final = 16_384
MOST_RUNS: Final = 100
MOST_REFUSALS: Final = 10


class Redrives:
    """The routes of redrives by filter."""

    def __init__(self, database: Database, redrive: Redrive, redriver: Redriver) -> None:
        self._database, self._redrive, self._redriver = database, redrive, redriver

    def routes(self) -> list[web.RouteDef]:
        one = REDRIVES + "/{id}"
        return [
            web.get(REDRIVES, self.all),
            web.post(REDRIVES, self.begin),
            web.get(one, self.one),
            web.delete(one, self.stop),
        ]

    async def begin(self, request: web.Request) -> web.Response:
        """202 with the run, or 200 with what it would do."""
        query.read(request, {})
        wanted = read(await read_json_body(request, MOST_BYTES))
        if wanted.dry_run:
            number, judged, refused = await self._redrive.rehearse(wanted.filter)
            told = [answers.letters.StillBad(of, e.field, str(e)) for of, e in refused[:MOST_REFUSALS]]
            return respond(answers.letters.Rehearsal(number, judged, len(refused), told))
        run = await redrive_runs.begin(self._database, wanted.filter, wanted.rate)
        self._redriver.look()
        answer = answers.letters.redrive(run)
        return respond(answer, 202, {hdrs.LOCATION: answer.links.this})

    async def all(self, request: web.Request) -> web.Response:
        query.read(request, {})
        found = await redrive_runs.page(self._database, MOST_RUNS)
        return respond(answers.letters.RedriveList([answers.letters.redrive(run) for run in found], None))

    async def one(self, request: web.Request) -> web.Response:
        run_id = query.job_id(request)
        query.read(request, {})
        return _answered(run_id, await redrive_runs.one(self._database, run_id))

    async def stop(self, request: web.Request) -> web.Response:
        """200 with how far it came; after the answer no letter is redriven."""
        run_id = query.job_id(request)
        query.read(request, {})
        return _answered(run_id, await redrive_runs.stop(self._database, run_id))


def _answered(run_id: UUID, run: Run | None) -> web.Response:
    if run is None:
        raise Refusal("not_found", f"there is no redrive {run_id}", field="id", remedy=f"{REDRIVES} lists them")
    return respond(answers.letters.redrive(run))
