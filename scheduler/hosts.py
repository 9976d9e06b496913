"""Call the next of a host's line where nobody is left to do it: the worker died that had the turn, or who was called
has ended otherwise.

As long as all is well who leaves a host calls the next, and a round finds nothing: one probe a host that has a line.
"""

from __future__ import annotations

from typing import Final

import structlog

from persistence.accepting import outbox
from persistence.hosts import calls
from persistence.store.database import Database
from scheduler.rounds import Rounds
from wire.rabbitmq.amqp import Broker

log = structlog.get_logger()

EVERY_SECONDS: Final = 1.0


class Hosts(Rounds):
    """A round calls one job a free place."""

    def __init__(self, database: Database, broker: Broker) -> None:
        super().__init__("hosts", EVERY_SECONDS)
        self._database, self._broker = database, broker

    async def once(self) -> int:
        """Says how many were called."""
        await self._broker.wait_connected()
        posts = await calls.call_quiet(self._database)
        if posts:
            published = await outbox.publish(self._database, self._broker, posts)
            log.info("hosts_called", published=published, left=len(posts) - published)
        return len(posts)
