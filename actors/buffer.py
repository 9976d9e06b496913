"""Deliveries that wait in this process for a slot: highest priority first, first come first served within one.

One start in 50 goes to the lowest priority that waits, so that a stream of important jobs cannot starve the others.
Async and sync jobs wait apart, because a free place on the loop is of no use to a job that needs a thread.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from actors.delivery import Delivery

PRIORITIES: Final = 11  # 0, which foreign senders may leave unset, to 10
LOWEST_EVERY: Final = 50


class Buffer:
    """A queue a priority, for one kind of job."""

    def __init__(self) -> None:
        self._queues: list[deque[Delivery]] = [deque() for _ in range(PRIORITIES)]
        self._taken = 0
        self._size = 0
        self.bytes = 0

    def __len__(self) -> int:
        return self._size

    def put(self, delivery: Delivery) -> None:
        self._queues[_level(delivery)].append(delivery)
        self._size += 1
        self.bytes += len(delivery.message.body)

    def take(self, most: int) -> list[Delivery]:
        """At most so many, in the order in which they should start."""
        taken: list[Delivery] = []
        while self._size and len(taken) < most:
            self._taken += 1
            levels = range(PRIORITIES) if self._taken % LOWEST_EVERY == 0 else range(PRIORITIES - 1, -1, -1)
            taken.append(self._pop(next(level for level in levels if self._queues[level])))
        return taken

    def shed(self, most: int) -> list[Delivery]:
        """Take out what is beyond so many, lowest priority and latest first: it goes back to the broker."""
        shed: list[Delivery] = []
        for queue in self._queues:
            while queue and self._size > most:
                shed.append(queue.pop())
                self._count_out(shed[-1])
        return shed

    def oldest(self) -> float | None:
        """When the delivery that has waited longest arrived."""
        return min((queue[0].arrived for queue in self._queues if queue), default=None)

    def _pop(self, level: int) -> Delivery:
        delivery = self._queues[level].popleft()
        self._count_out(delivery)
        return delivery

    def _count_out(self, delivery: Delivery) -> None:
        self._size -= 1
        self.bytes -= len(delivery.message.body)


def _level(delivery: Delivery) -> int:
    return min(PRIORITIES - 1, max(0, delivery.message.priority or 0))
