"""Turn settled delivery tags into as few ack frames as possible.

One `multiple` ack up to the contiguous low-water mark, the stragglers one by one; or one long job would pin the whole
window.  Belongs to one channel: tags mean nothing on another.
"""

from __future__ import annotations

from collections.abc import Iterable


class AckWindow:
    """The tags of one channel."""

    def __init__(self) -> None:
        self._low = 0  # every tag up to here is settled
        self._ahead: set[int] = set()  # settled, above a gap

    def settle(self, tags: Iterable[int]) -> tuple[int, list[int]]:
        """The tag to ack with `multiple` (0: none) and the tags to ack alone."""
        fresh = {tag for tag in tags if tag > self._low and tag not in self._ahead}
        top = 0
        while True:
            following = self._low + 1
            if following in fresh:
                fresh.discard(following)
                top = following
            elif following in self._ahead:
                self._ahead.discard(following)
            else:
                break
            self._low = following
        self._ahead |= fresh
        return top, sorted(fresh)

    def given_back(self, tags: Iterable[int]) -> None:
        """These were returned to the broker: settled, though not acked."""
        self._ahead |= {tag for tag in tags if tag > self._low}
