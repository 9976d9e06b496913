"""Compare the broker's epoch with ours, at every connection: a broker that lost its disk lost the waiting messages.

Two schedulers do it one after the other.  The broker gets its epoch last: until then a crash repeats the whole.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

import structlog

from persistence.mending import epoch
from persistence.store.database import Database
from scheduler.rounds import Rounds
from wire.rabbitmq.amqp import Broker
from wire.topology import EPOCH

log = structlog.get_logger()

LOOK_SECONDS: Final = 0.5  # at our own counter of connections
BATCH: Final = 5_000


class Epoch(Rounds):
    """A round does nothing until there is a new connection."""

    def __init__(self, database: Database, broker: Broker) -> None:
        super().__init__("epoch", LOOK_SECONDS)
        self._database, self._broker = database, broker
        self._compared = 0

    async def once(self) -> int:
        """Compare, if this connection is new; says how many jobs were sent again."""
        await self._broker.wait_connected()
        connection = self._broker.connections
        if connection == self._compared:
            return 0
        async with self._database.alone(epoch.LOCK) as alone:
            if not alone:
                return 0  # another scheduler is at it; the next round looks again
            sent = await self._compare()
        self._compared = connection
        return sent

    async def _compare(self) -> int:
        held = _uuid(await self._broker.mark(EPOCH))
        ours = await epoch.known(self._database)
        if ours is None:  # the first time, or a new database behind an old broker
            ours, fresh = await epoch.ours(self._database, held or uuid4()), True
        else:
            fresh = False
        if ours == held:
            return 0
        sent = 0 if fresh else await self._send_again()
        await self._broker.set_mark(EPOCH, str(ours).encode())  # after all rows are committed, never before
        return sent

    async def _send_again(self) -> int:
        log.warning("broker_lost_its_disk")
        after: UUID | None = epoch.FIRST
        total = 0
        while after is not None:
            sent, after = await epoch.send_again(self._database, after, BATCH, total)
            total += sent
        log.warning("waiting_jobs_sent_again", jobs=total)
        return total


def _uuid(body: bytes | None) -> UUID | None:
    try:
        return UUID((body or b"").decode())
    except ValueError:
        return None
