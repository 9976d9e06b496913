"""/api/v1/queues…: what waits in each, for how long, and who consumes it; pause and resume one.

Depths are those of the rows in Postgres, which is what can be promised: a message in RabbitMQ may be a copy, or lie in
a worker's window.  What RabbitMQ itself counts is shown beside it where one queue is asked for.
"""

from __future__ import annotations

from aiohttp import web

from gateway import answers
from gateway.answers.crew import QUEUES, Seen
from gateway.entrance import query
from gateway.entrance.problems import Refusal
from gateway.pausing.pausing import Pausing
from gateway.rest.respond import respond
from persistence.crew import workforce
from persistence.declared import job_types, pauses
from persistence.declared.pauses import Kind
from persistence.questions import counts
from persistence.store.database import Database
from wire.errors import BrokerUnavailable
from wire.rabbitmq.amqp import Broker
from wire.states import WAITING
from wire.topology import work_queue


class Queues:
    """The routes of queues."""

    def __init__(self, database: Database, broker: Broker, pausing: Pausing, lease_seconds: float) -> None:
        self._database, self._broker, self._pausing = database, broker, pausing
        self._lease_seconds = lease_seconds

    def routes(self) -> list[web.RouteDef]:
        one = QUEUES + "/{name}"
        return [
            web.get(QUEUES, self.all),
            web.get(one, self.one),
            web.post(one + "/pause", self.pause),
            web.post(one + "/resume", self.resume),
        ]

    async def all(self, request: web.Request) -> web.Response:
        query.read(request, {})
        seen = await self._look()
        return respond(answers.crew.QueueList([answers.crew.queue(name, seen) for name in seen.names], None))

    async def one(self, request: web.Request) -> web.Response:
        query.read(request, {})
        return await self._as_it_stands(await self._known(request))

    async def pause(self, request: web.Request) -> web.Response:
        """200 with the queue; workers follow within moments."""
        name = await self._known(request)
        await self._pausing.pause(request, Kind.QUEUE, name)
        return await self._as_it_stands(name)

    async def resume(self, request: web.Request) -> web.Response:
        name = await self._known(request)
        await self._pausing.resume(request, Kind.QUEUE, name)
        return await self._as_it_stands(name)

    async def _known(self, request: web.Request) -> str:
        name, known = request.match_info["name"], (await self._look()).names
        if name not in known:
            told = f"known: {', '.join(known[:20])}" if known else "no worker has registered a type yet: start one"
            raise Refusal("not_found", f"there is no queue {name[:128]!r}", field="name", remedy=told)
        return name

    async def _as_it_stands(self, name: str) -> web.Response:
        queue = answers.crew.queue(name, await self._look())
        return respond(answers.crew.opened(queue, await self._ready(name)))

    async def _look(self) -> Seen:
        jobs = await counts.jobs(self._database)
        levels = {(found.queue, found.priority) for found in jobs if found.state in WAITING}
        homes: dict[str, list[str]] = {}
        for job_type in await job_types.known(self._database, self._lease_seconds):
            homes.setdefault(job_type.queue, []).append(job_type.name)
        return Seen(
            jobs,
            await counts.oldest(self._database, sorted(levels)),
            await workforce.members(self._database, self._lease_seconds),
            await pauses.every(self._database),
            homes,
        )

    async def _ready(self, name: str) -> int | None:
        if not self._broker.connected:
            return None
        try:
            return await self._broker.depth(work_queue(name))
        except BrokerUnavailable:
            return None
