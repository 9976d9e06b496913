"""Rescue waiting jobs whose message is gone: a purged or deleted queue, a lost ladder, a copy that never arrived.

A round looks at the queues, compares with a look before (see overtaken.py) and sends the overtaken again, paced.
Without RabbitMQ, or just after it came back, nothing is judged: what it kept may still be on its way.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from persistence.mending import rescue
from persistence.mending.rescue import Overtaken
from persistence.store.database import Database
from scheduler.overtaken import Bounds, Look, comparable, overtaken
from scheduler.rounds import Rounds
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler
from wire.topology import work_queue

log = structlog.get_logger()

SETTLES_IN: Final = 3  # graces: a broker that came back has to let out what expired in its ladder meanwhile
BATCHES: Final = 10  # a round; the next one looks again first


class Rescue(Rounds):
    """Remembers its last looks; forgets them when anything was away."""

    def __init__(self, database: Database, broker: Broker, settings: Scheduler, lease_seconds: float) -> None:
        super().__init__("rescue", settings.rescue_seconds)
        self._database, self._broker, self._batch = database, broker, settings.rescue_batch
        self._lease = timedelta(seconds=lease_seconds)
        grace = timedelta(seconds=settings.rescue_grace_seconds)
        self._bounds = Bounds(timedelta(seconds=settings.overtaken_seconds), grace)
        self._connection = 0
        self._connected_at: datetime | None = None
        self._looks: list[Look] = []

    async def once(self) -> int:
        """Send again what was overtaken; says how many jobs that were."""
        looks, self._looks = self._looks, []  # whatever fails now, the next verdict needs fresh ones
        now = await self._look()
        if not self._settled(now):
            return 0
        then = comparable(looks, now)
        oldest = then.at if then else now.at - self._lease  # a worker that has not beaten for so long is not alive
        self._looks = [*(look for look in looks if look.at >= oldest), now]
        return await self._send(list(overtaken(then, now, self._bounds))) if then else 0

    def _settled(self, now: Look) -> bool:
        """Whether this connection has stood long enough for what is seen over it to mean something."""
        if self._connection != self._broker.connections or self._connected_at is None:
            self._connection, self._connected_at = self._broker.connections, now.at
            return False
        return now.at - self._connected_at >= self._bounds.grace * SETTLES_IN

    async def _look(self) -> Look:
        await self._broker.wait_connected()
        queues = await rescue.queues(self._database, self._lease)
        depths = {queue: await self._broker.depth(work_queue(queue)) for queue in queues.waiting}
        return Look(await self._database.now(), queues, depths)

    async def _send(self, levels: list[Overtaken]) -> int:
        total = 0
        for _ in range(BATCHES):
            sent = await rescue.send_overtaken(self._database, levels, self._batch, self._bounds.overtaken)
            total += sent
            if sent < self._batch:
                break
        if total:
            log.warning("overtaken_jobs_sent_again", jobs=total, queues=sorted({level.queue for level in levels}))
        return total
