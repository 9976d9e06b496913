"""Let what is more important in, and what is less important through.

Two things stand in its way.  A worker whose slots are full holds its window of deliveries, and RabbitMQ gives it
nothing else however important; so what waits in the buffer is exchanged every moment.  And RabbitMQ gives out the
highest priority first, so under an endless stream of it the others never come; so they are looked up in their rows.

Nothing is exchanged with quorum queues: they give out first what was returned to them, whatever its priority, and count
how often it was.

Puts nothing into a slot: the order in which deliveries start is the buffer's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from actors.deliveries.buffer import LOWEST_EVERY, Buffer
from actors.deliveries.delivery import NO_CHANNEL, Delivery
from persistence.declared import pins
from persistence.mending import neglected
from persistence.store.database import Database
from wire.topology import Profile

MOMENT_SECONDS: Final = 0.05
MORE: Final = 20  # are looked up than are needed: other workers look too, and should not choose the same


class Importance:
    """Between the broker, the rows and the buffers of one lane."""

    def __init__(
        self,
        database: Database,
        queues: Sequence[str],
        types: Sequence[str],
        give_back: Callable[[Iterable[Delivery]], None],
    ) -> None:
        self._database, self._queues, self._types, self._give_back = database, queues, types, give_back
        self._profile: str | None = None  # not known yet; it never changes

    async def exchange(self, *buffers: Buffer) -> None:
        """Return the least important of what has waited for a moment; the most important comes in its place."""
        before = time.monotonic() - MOMENT_SECONDS / 2
        for buffer in buffers:
            if (buffer.oldest() or before) < before and await self._keep_their_place():
                self._give_back(buffer.exchange(before))

    async def _keep_their_place(self) -> bool:
        """Whether the queues put what is returned to them where it was."""
        if self._profile is None:
            self._profile = await pins.pinned(self._database, pins.PROFILE)
        return self._profile == Profile.CLASSIC

    async def find_neglected(self, below: int, starts: int) -> list[Delivery]:
        """As many as are due within so many starts, of those that are less important than all that came lately."""
        needed = 2 + starts // LOWEST_EVERY
        found = await neglected.find(self._database, self._queues, self._types, below=below, limit=needed * MORE)
        chosen = random.sample(found, min(needed, len(found)))
        chosen.sort(key=lambda message: message.priority or 0)
        return [Delivery(message, 0, NO_CHANNEL) for message in chosen]
