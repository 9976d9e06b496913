"""Tell workers that a run is to end because the next one is due; a hint, which only makes it sooner (wire/control.py).

Apart from the loop that makes the runs: that waits for nobody's confirm.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from scheduler.rounds import Rounds
from wire.control import cancel_hint
from wire.rabbitmq.amqp import Broker

MOST: Final = 1_000
IDLE_SECONDS: Final = 60.0


class Hints(Rounds):
    """A round sends what is there."""

    def __init__(self, broker: Broker) -> None:
        super().__init__("clock hints", IDLE_SECONDS, full=MOST)
        self._broker = broker
        self._waiting: deque[tuple[UUID, int]] = deque(maxlen=MOST)  # beyond that the workers hear it a heartbeat later

    def give(self, asked: Iterable[tuple[UUID, int]]) -> None:
        self._waiting.extend(asked)
        if self._waiting:
            self.wake()

    async def once(self) -> int:
        """Send them, or drop them while RabbitMQ is away."""
        hints = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if hints and self._broker.connected:
            await self._broker.publish_all([cancel_hint(job_id, lease) for job_id, lease in hints])
        return len(hints)
