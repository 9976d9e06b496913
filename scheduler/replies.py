"""Publish the replies: what became of a job goes to the queue that its message named, confirmed by RabbitMQ.

Postgres notifies when one is written, so an asker waits milliseconds; the poll makes good a lost notification.  A reply
queue that is gone is logged and kept with its time, and never holds up another reply.  Nothing is leased while RabbitMQ
is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

import structlog

from persistence.accepting import replies
from persistence.accepting.replies import Reply
from persistence.store.database import Database
from scheduler.rounds import Rounds
from wire.errors import BrokerUnavailable, NobodyThere
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler

log = structlog.get_logger()

FIRST_BACKOFF_SECONDS: Final = 10.0  # twice the deadline of a publish
DIRECT: Final = "amq.rabbitmq.reply-to"  # no queue: RabbitMQ hands it to the asker's channel, and calls it unroutable


class Fate(Enum):
    TOLD = auto()
    GONE = auto()
    LATER = auto()


class Replies(Rounds):
    """A round is one batch."""

    def __init__(self, database: Database, broker: Broker, settings: Scheduler) -> None:
        super().__init__("replies", settings.sweep_seconds, full=settings.sweep_batch)
        self._database, self._broker, self._batch = database, broker, settings.sweep_batch

    async def once(self) -> int:
        """Publish one batch; says how many rows it looked at."""
        await self._broker.wait_connected()
        found = await replies.lease(self._database, self._batch, FIRST_BACKOFF_SECONDS)
        fresh = [reply for reply in found if not reply.lost]
        fates = await asyncio.gather(*map(self._publish, fresh))
        told = [reply for reply, fate in zip(fresh, fates, strict=True) if fate is Fate.TOLD]
        gone = [reply for reply, fate in zip(fresh, fates, strict=True) if fate is Fate.GONE]
        await replies.delete(self._database, [reply.id for reply in told])
        await replies.lose(self._database, [reply.id for reply in gone])
        _complain([*gone, *(reply for reply in found if reply.lost)])
        return len(found)

    async def _publish(self, reply: Reply) -> Fate:
        try:
            await self._broker.publish(reply.message(), mandatory=not reply.to.queue.startswith(DIRECT))
        except NobodyThere:
            return Fate.GONE
        except BrokerUnavailable:
            return Fate.LATER
        return Fate.TOLD


def _complain(lost: Sequence[Reply]) -> None:
    for reply in lost:
        log.warning("reply_lost", job_id=reply.job_id and str(reply.job_id), reply_to=reply.to.queue)
