"""GET /api/v1/jobs/{id}/why and /timeline: what keeps a job from running, and what has happened to it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from aiohttp import web

from gateway import answers
from gateway.answers.jobs import JOBS
from gateway.answers.letters import DEAD_LETTERS
from gateway.answers.schedules import SCHEDULES
from gateway.answers.why import OfSchedule
from gateway.entrance import query
from gateway.entrance.problems import Refusal
from gateway.reading.jobs import no_job
from gateway.rest.respond import respond
from gateway.schedules import standing
from gateway.schedules.request import readable_when
from gateway.telling import timeline
from gateway.telling.why import Broker as Seen
from gateway.telling.why import explain
from gateway.telling.words import fault
from persistence.letters import letters
from persistence.questions.timeline import story_of
from persistence.questions.why import facts_of
from persistence.schedules import read, runs
from persistence.store.database import Database
from wire.rabbitmq.amqp import Broker


class Why:
    """The routes that explain one job."""

    def __init__(self, database: Database, broker: Broker, lease_seconds: float) -> None:
        self._database, self._broker, self._lease_seconds = database, broker, lease_seconds

    def routes(self) -> list[web.RouteDef]:
        return [web.get(JOBS + "/{id}/why", self.why), web.get(JOBS + "/{id}/timeline", self.timeline)]

    async def why(self, request: web.Request) -> web.Response:
        job_id = query.job_id(request)
        query.read(request, {})
        seen = Seen(self._broker.connected, self._broker.blocked, self._broker.last_error)
        unsent = seen.alarm or not seen.connected
        facts = await facts_of(self._database, job_id, self._lease_seconds, unsent=unsent)
        if facts is None:
            raise await self._none(job_id)
        schedule = await self._schedule(job_id, facts.now)
        return respond(answers.why.why(facts, explain(facts, seen), seen, schedule))

    async def timeline(self, request: web.Request) -> web.Response:
        job_id = query.job_id(request)
        query.read(request, {})
        story = await story_of(self._database, job_id)
        if story is None:
            raise await self._none(job_id)
        return respond(answers.timeline.timeline(timeline.timeline(story)))

    async def _schedule(self, job_id: UUID, now: datetime) -> OfSchedule | None:
        """The schedule that made this job, and why it fires or does not."""
        run = await runs.run_of_job(self._database, job_id)
        made_by = await read.get(self._database, run.schedule_id) if run else None
        if run is None or made_by is None:
            return None
        why = standing.explain(made_by, readable_when(made_by.plan), now)
        return OfSchedule(made_by.id, made_by.plan.name, run.due_at, why.sentence, f"{SCHEDULES}/{made_by.id}")

    async def _none(self, job_id: UUID) -> Refusal:
        """There is no such job; perhaps because it is a schedule, or because its message was refused."""
        schedule = await read.get(self._database, job_id)
        if schedule is not None:
            why = standing.explain(schedule, readable_when(schedule.plan), datetime.now(UTC))
            detail = f"{job_id} is a schedule and no job. {why.sentence}"
            return Refusal("not_found", detail, field="id", remedy=f"{SCHEDULES}/{job_id}/runs lists its jobs")
        letter = await letters.of_message(self._database, job_id)
        if letter is None:
            return no_job(job_id)
        detail = f"there is no job {job_id}: its message was refused ({letter.reason}), {fault(None, letter.detail)}"
        remedy = f"it is kept: {DEAD_LETTERS}/{letter.id}"
        if letter.redriven_as:
            remedy = f"it was redriven: {JOBS}/{letter.redriven_as}"
        return Refusal("not_found", detail, field="id", remedy=remedy)
