"""Deliveries that wait in this process for a slot: highest priority first, first come first served within one.

One start in 50 goes to the lowest priority that waits, so that a stream of important jobs cannot starve the others;
those that the broker does not even give out under it are taken from their rows (`neglected`).  Async and sync jobs wait
apart, because a free place on the loop is of no use to a job that needs a thread.

What waits here keeps the broker from giving us anything else.  So what has waited for a moment is exchanged: the least
important goes back, and the most important comes in its place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from typing import Final

from actors.deliveries.delivery import Delivery

PRIORITIES: Final = 11  # 0, which foreign senders may leave unset, to 10
HIGHEST: Final = PRIORITIES - 1
LOWEST_EVERY: Final = 50
DOWNWARDS: Final = range(HIGHEST, -1, -1)


class Buffer:
    """A queue a priority, for one kind of job."""

    def __init__(self) -> None:
        self._queues: list[deque[Delivery]] = [deque() for _ in range(PRIORITIES)]
        self._neglected: deque[Delivery] = deque()
        self._since_low = 0  # starts
        self._lowest_put = PRIORITIES
        self._size = 0
        self.bytes = 0

    def __len__(self) -> int:
        return self._size

    def lowest_lately(self) -> int | None:
        """The lowest priority that waits or has come since this was asked; it may have come and gone in a moment."""
        waits = next((level for level, queue in enumerate(self._queues) if queue), PRIORITIES)
        lowest, self._lowest_put = min(waits, self._lowest_put), PRIORITIES
        return None if lowest == PRIORITIES else lowest

    def put(self, delivery: Delivery) -> None:
        level = _level(delivery)
        self._queues[level].append(delivery)
        self._lowest_put = min(self._lowest_put, level)
        self._size += 1
        self.bytes += len(delivery.message.body)

    def neglect(self, deliveries: list[Delivery]) -> None:
        """These wait elsewhere and are not given out; they replace those that were known before."""
        self._neglected = deque(deliveries)

    def owe(self) -> None:
        """A low one that was taken did not start after all: it is a low one's turn again."""
        self._since_low = LOWEST_EVERY

    def take(self, most: int) -> list[Delivery]:
        """At most so many, in the order in which they should start."""
        taken: list[Delivery] = []
        while len(taken) < most and (delivery := self._next()):
            taken.append(delivery)
        return taken

    def shed(self, most: int) -> list[Delivery]:
        """Take out what is beyond so many, lowest priority and latest first: it goes back to the broker."""
        shed: list[Delivery] = []
        for queue in self._queues:
            while queue and self._size > most:
                shed.append(queue.pop())
                self._count_out(shed[-1])
        return shed

    def leave(self, queues: Collection[str]) -> list[Delivery]:
        """Take out all that came from these work queues."""
        left = [delivery for waiting in self._queues for delivery in waiting if delivery.message.queue in queues]
        if left:
            for level, waiting in enumerate(self._queues):
                self._queues[level] = deque(stays for stays in waiting if stays.message.queue not in queues)
        for delivery in left:
            self._count_out(delivery)
        return left

    def exchange(self, before: float) -> list[Delivery]:
        """Take out the least important delivery of each work queue, if it has waited here since before this moment."""
        found: dict[str, Delivery] = {}
        for delivery in self._least_important_first():
            if delivery.arrived < before and delivery.in_turn:
                found.setdefault(delivery.message.queue, delivery)
        for delivery in found.values():
            self._queues[_level(delivery)].remove(delivery)
            self._count_out(delivery)
        return list(found.values())

    def oldest(self) -> float | None:
        """When the delivery that has waited longest arrived."""
        return min((queue[0].arrived for queue in self._queues if queue), default=None)

    def _next(self) -> Delivery | None:
        """The highest, or in its turn the lowest, for which a turn is kept until there is one."""
        if self._since_low >= LOWEST_EVERY - 1:
            levels = [level for level, queue in enumerate(self._queues) if queue]
            if self._neglected and _level(self._neglected[0]) < min(levels, default=PRIORITIES):
                self._since_low = 0
                return self._neglected.popleft()
            if len(levels) > 1:
                self._since_low = 0
                return self._pop(levels[0])
        if not self._size:
            return None
        self._since_low += 1
        return self._pop(next(level for level in DOWNWARDS if self._queues[level]))

    def _least_important_first(self) -> Iterator[Delivery]:
        for queue in self._queues[:HIGHEST]:  # nothing could come that is more important than the highest
            yield from reversed(queue)

    def _pop(self, level: int) -> Delivery:
        delivery = self._queues[level].popleft()
        self._count_out(delivery)
        return delivery

    def _count_out(self, delivery: Delivery) -> None:
        self._size -= 1
        self.bytes -= len(delivery.message.body)


def _level(delivery: Delivery) -> int:
    return min(PRIORITIES - 1, max(0, delivery.message.priority or 0))
