"""Acks of deliveries whose outcomes are committed, all of one turn of the loop together.

An ack that waits for that long costs nothing; one frame for many costs the broker and this process less than a frame
for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from wire.metrics import table as metrics


class Acks:
    """One a lane."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._settled: list[Delivery] = []

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """Ack them before the loop turns twice."""
        if deliveries and not self._settled:
            asyncio.get_running_loop().call_soon(self.send)
        self._settled += deliveries

    def send(self) -> None:
        """Now; what is added after a drain has sent the last is not acked, and comes again."""
        settled, self._settled = self._settled, []
        with metrics.batch("ack", len(settled)):
            self._consumer.ack(settled)
