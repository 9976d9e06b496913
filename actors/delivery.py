"""One delivery, and the channel that it must be settled on: the broker's, or nobody's if it was taken from its row."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from wire.message import Incoming

NO_CHANNEL: Final = -1  # nothing to settle


@dataclass(slots=True, eq=False)
class Delivery:
    """A message with its tag; the tag means nothing on another channel."""

    message: Incoming
    tag: int
    channel: int  # counts the channels of this process
    arrived: float = field(default_factory=time.monotonic)
    asked: int = 0  # how often a claim gave it no answer

    @property
    def in_turn(self) -> bool:
        """Whether the broker gave it out; a neglected job is taken from its row, before all that wait before it."""
        return self.channel != NO_CHANNEL
