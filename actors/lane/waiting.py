"""Deliveries that wait in this process for a slot: those for the loop, for a thread and for a child process apart.

A free place on the loop is of no use to a job that needs a thread, so no kind stands in another's way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actors.attempts.craft import Craft, Place
from actors.deliveries.buffer import Buffer
from actors.deliveries.delivery import Delivery


class Waiting:
    """The buffers of one lane; the scarcer a kind of place is, the sooner it is filled."""

    def __init__(self, crafts: Mapping[str, Craft]) -> None:
        self._crafts = crafts
        self.on_loop, self.on_thread, self.in_child = Buffer(), Buffer(), Buffer()
        self.by_place = {Place.CHILD: self.in_child, Place.THREAD: self.on_thread, Place.LOOP: self.on_loop}
        self.all = tuple(self.by_place.values())

    def __len__(self) -> int:
        return len(self.on_loop) + len(self.on_thread) + len(self.in_child)

    @property
    def average_bytes(self) -> float:
        return sum(buffer.bytes for buffer in self.all) / len(self) if len(self) else 0.0

    @property
    def oldest(self) -> float | None:
        """When the delivery that has waited longest arrived."""
        return min((since for buffer in self.all if (since := buffer.oldest()) is not None), default=None)

    def of(self, delivery: Delivery) -> Buffer:
        """Where it waits, or would."""
        return self.by_place[self._crafts[delivery.type].place]

    def lowest_lately(self) -> list[int]:
        """The lowest priority of each kind, where one has come since this was asked."""
        return [level for buffer in self.all if (level := buffer.lowest_lately()) is not None]

    def shed(self, most: int) -> list[Delivery]:
        """What is beyond so many of a kind."""
        return [delivery for buffer in self.all for delivery in buffer.shed(most)]

    def neglect(self, found: Sequence[Delivery]) -> None:
        """These wait elsewhere and are not given out; they replace those that were known before."""
        for buffer in self.all:
            buffer.neglect([delivery for delivery in found if self.of(delivery) is buffer])
