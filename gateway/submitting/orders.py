"""Begin what is done to all jobs of a batch at once, for a moment: the scheduler carries on with what is left."""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.pausing.hints import Hints
from persistence.accepting.outbox import Publisher
from persistence.batches import batch_orders
from persistence.batches.batch_orders import Order
from persistence.store.database import Database
from wire.control import cancel_hint

BEGIN_SECONDS: Final = 1.0  # a thousand jobs are done by then, and nobody waits long for an answer


class Orders:
    """Carries orders out, and passes on what that makes: messages to publish, workers to tell."""

    def __init__(self, database: Database, posts: Publisher, hints: Hints) -> None:
        self._database, self._posts, self._hints = database, posts, hints

    async def begin(self, order: Order) -> None:
        """Return when it is done, or when it has taken long enough."""
        until = asyncio.get_running_loop().time() + BEGIN_SECONDS
        async for chunk in batch_orders.carry_out(self._database, order):
            self._posts.give(chunk.posts)
            for job_id, lease in chunk.asked:
                self._hints.give(cancel_hint(job_id, lease))
            if asyncio.get_running_loop().time() > until:
                return
