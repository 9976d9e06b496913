"""Sweep the outbox: publish the messages whose writer has not come back to them.

A writer publishes its own rows within moments and deletes them; what is older than its grace was left by a crash or an
outage, or was inserted by another service through SQL.  Leased rows come back with doubling back-off.  Nothing is
leased while RabbitMQ is away, so that an outage does not use up the back-off.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from persistence import outbox
from persistence.database import COLLIDED, Database
from wire.amqp import Broker
from wire.errors import Unavailable
from wire.lifecycle import pause
from wire.settings import Scheduler

log = structlog.get_logger()

FIRST_BACKOFF_SECONDS: Final = 10.0  # twice the deadline of a publish: our own copy is never still under way


class Sweep:
    """One loop; `once` is the tick, for tests and for the loop."""

    def __init__(self, database: Database, broker: Broker, settings: Scheduler) -> None:
        self._database, self._broker, self._settings = database, broker, settings
        self._stopped = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loop = asyncio.create_task(self._work(), name="sweep")

    async def stop(self) -> None:
        self._stopped.set()
        if self._loop:
            await self._loop

    async def once(self) -> int:
        """Publish one batch; says how many rows it looked at."""
        await self._broker.wait_connected()
        posts, needless = await outbox.lease(self._database, self._settings.sweep_batch, FIRST_BACKOFF_SECONDS)
        await outbox.delete(self._database, needless)
        if posts:
            published = await outbox.publish(self._database, self._broker, posts)
            log.info("outbox_swept", published=published, left=len(posts) - published)
        return len(posts) + len(needless)

    async def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                seen = await self.once()
            except (Unavailable, *COLLIDED) as e:
                log.warning("sweep_waits", error=str(e))
                seen = 0
            if seen < self._settings.sweep_batch:
                await pause(self._stopped, self._settings.sweep_seconds)
