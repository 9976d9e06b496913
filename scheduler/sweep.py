"""Sweep the outbox: publish the messages whose writer has not come back to them.

A writer publishes its own rows within moments and deletes them; what is older than its grace was left by a crash or an
outage, or was inserted by another service through SQL; of the latter Postgres notifies us (see listen.py), and
the poll makes good a notification that was lost.  Leased rows come back with doubling back-off.  Nothing is
leased while RabbitMQ is away, so that an outage does not use up the back-off.

What was held for a paused type comes first, once the type is resumed: let out here, it is leased in the same round.
"""

from __future__ import annotations

from typing import Final

import structlog

from persistence.accepting import outbox
from persistence.declared import pauses
from persistence.mending import rescue
from persistence.store.database import Database
from scheduler.rounds import Rounds
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler

log = structlog.get_logger()

FIRST_BACKOFF_SECONDS: Final = 10.0  # twice the deadline of a publish: our own copy is never still under way


class Sweep(Rounds):
    """A round is one batch."""

    def __init__(self, database: Database, broker: Broker, settings: Scheduler) -> None:
        super().__init__("sweep", settings.sweep_seconds, full=settings.sweep_batch)
        self._database, self._broker, self._batch = database, broker, settings.sweep_batch

    async def once(self) -> int:
        """Publish one batch; says how many rows it looked at."""
        await self._broker.wait_connected()
        await pauses.release(self._database, self._batch)
        posts, needless = await outbox.lease(self._database, self._batch, FIRST_BACKOFF_SECONDS)
        await outbox.delete(self._database, needless)
        if posts:
            # before they go out: a late one's place in its queue is behind what was published meanwhile
            await rescue.sent_late(self._database, [post.job_id for post in posts])
            published = await outbox.publish(self._database, self._broker, posts)
            log.info("outbox_swept", published=published, left=len(posts) - published)
        return len(posts) + len(needless)
