"""The ways of this process's types: registered once, when it boots, and bound to the queue that Postgres names.

A type's queue is whatever the last worker to boot with it said.  A worker that merely connects again must not take a
type back that has moved meanwhile, so it only binds what stands in Postgres.  The exception is a type whose queue no
live worker serves any more (an old worker was restarted after the move, and has gone since): who serves it on another
queue takes it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from persistence.declared.declare import declare, lead_to_homes
from persistence.declared.follow import follow
from persistence.declared.job_types import JobType, forsaken, register
from persistence.store.database import COLLIDED, Database
from wire.errors import Unavailable
from wire.lifecycle import lasting
from wire.rabbitmq.amqp import Broker

log = structlog.get_logger()

LOOK_SECONDS: Final = 5.0


class Ways:
    """One a process; `open` is called at every connect."""

    def __init__(
        self, link: Broker, database: Database, types: Sequence[JobType], *, profile: str, lease_seconds: float
    ) -> None:
        self._link, self._database, self._types = link, database, types
        self._profile, self._lease_seconds = profile, lease_seconds
        self._registered = False
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._watch = lasting(self._look_after(), "ways")

    async def stop(self) -> None:
        watch, self._watch = self._watch, None
        if watch:
            watch.cancel()
            await asyncio.wait({watch})

    async def open(self) -> None:
        """Have all types known and led to their queues; again after each reconnect, for a broker that lost its disk."""
        await self._link.wait_connected()
        await self._lead(self._types, anew=not self._registered)
        self._registered = True

    async def _lead(self, types: Sequence[JobType], *, anew: bool) -> None:
        profile = await declare(self._link, self._database, self._profile)
        moved = await register(self._database, types, anew=anew)
        await lead_to_homes(self._link, self._database, profile, types, moved)
        if moved:
            jobs = await follow(self._database, moved)  # after the new ways stand
            log.info("types_moved", types=sorted(moved), jobs=jobs)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                left = await forsaken(self._database, self._types, self._lease_seconds)
                if left and self._registered:
                    log.warning("types_taken_home", types=left)
                    await self._lead([t for t in self._types if t.name in left], anew=True)
            except (Unavailable, *COLLIDED) as e:
                log.warning("ways_not_looked_after", error=str(e))
