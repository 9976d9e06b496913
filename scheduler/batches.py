"""Batches: fold their counters, bear the callbacks of those that ended, and carry out what is ordered for all children.

Folding is frequent, because a callback waits for it: half a second after a batch's last child at most, and an idle look
is one read of an empty table.  A crash between commit and publish leaves the callback to the sweep, as any other job.
"""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

import structlog

from persistence.accepting import outbox
from persistence.accepting.outbox import Post
from persistence.batches import batch_ends, batch_orders
from persistence.batches.batch_orders import Do, Order
from persistence.store.database import Database
from scheduler.rounds import Rounds
from wire.rabbitmq.amqp import Broker

log = structlog.get_logger()

FOLD_SECONDS: Final = 0.5
ORDERS_SECONDS: Final = 1.0
ORDERS_AT_ONCE: Final = 200
LATE_SECONDS: Final = 5.0  # between two walks through a cancelled batch in which something waits: it came late
STARTED_SECONDS: Final = 60.0  # the same where nothing waits: what came late may have started at once


class BatchCounter(Rounds):
    """A round folds what has changed."""

    def __init__(self, database: Database, broker: Broker) -> None:
        super().__init__("batch counter", FOLD_SECONDS, full=batch_ends.AT_ONCE)
        self._database, self._broker = database, broker

    async def once(self) -> int:
        """Fold; says how many batches had changed.  Without RabbitMQ it waits, as nobody could be called."""
        await self._broker.wait_connected()
        changed, posts = await batch_ends.fold(self._database)
        if posts:
            log.info("batches_ended", callbacks=len(posts))
            await _publish(self._database, self._broker, posts)
        return changed


class BatchOrders(Rounds):
    """A round carries out the orders that a gateway left."""

    def __init__(self, database: Database, broker: Broker) -> None:
        super().__init__("batch orders", ORDERS_SECONDS)
        self._database, self._broker = database, broker
        self._cancelled: dict[UUID, float] = {}  # when we last walked through them

    async def once(self) -> int:
        """Carry them out to their ends; says how many orders there were."""
        orders = await batch_orders.given(self._database, ORDERS_AT_ONCE)
        self._cancelled = {o.batch_id: self._cancelled[o.batch_id] for o in orders if o.batch_id in self._cancelled}
        for order in orders:
            if order.do is not Do.CANCEL or self._is_due(order):
                await self._carry_out(order)
        return len(orders)

    def _is_due(self, order: Order) -> bool:
        again_after = LATE_SECONDS if order.pending else STARTED_SECONDS
        return time.monotonic() >= self._cancelled.get(order.batch_id, float("-inf")) + again_after

    async def _carry_out(self, order: Order) -> None:
        async for chunk in batch_orders.carry_out(self._database, order):
            await _publish(self._database, self._broker, chunk.posts)
            if self._stopped.is_set():
                return
        self._cancelled[order.batch_id] = time.monotonic()


async def _publish(database: Database, broker: Broker, posts: list[Post]) -> None:
    """What is not confirmed, or comes while RabbitMQ is away, the sweep publishes."""
    if posts and broker.connected:
        await outbox.publish(database, broker, posts)
