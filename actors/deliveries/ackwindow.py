"""Turn settled delivery tags into as few ack frames as possible.

One `multiple` ack up to the contiguous low-water mark, the stragglers one by one; or one long job would pin the whole
window.  Contiguous among the tags that were delivered to us: pika itself returns what arrives between a cancel and its
confirmation, so there are gaps.  Belongs to one channel: tags mean nothing on another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class AckWindow:
    """The tags of one channel."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()  # as delivered, from the lowest that is open
        self._open: set[int] = set()  # delivered, not settled

    def delivered(self, tag: int) -> None:
        self._order.append(tag)
        self._open.add(tag)

    def settle(self, tags: Iterable[int]) -> tuple[int, list[int]]:
        """The tag to ack with `multiple` (0: none) and the tags to ack alone."""
        fresh = self._open.intersection(tags)  # to ack a tag twice would close the channel
        self._open -= fresh
        top = 0
        while self._order and self._order[0] not in self._open:
            tag = self._order.popleft()
            if tag in fresh:
                fresh.discard(tag)
                top = tag
        return top, sorted(fresh)

    def give_back(self, tags: Iterable[int]) -> list[int]:
        """Of these, the tags to return to the broker: settled, though not acked."""
        fresh = self._open.intersection(tags)
        self._open -= fresh
        return sorted(fresh)
