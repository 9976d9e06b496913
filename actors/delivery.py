"""One delivery from the broker, and the channel that it must be settled on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from wire.message import Incoming


@dataclass(slots=True, eq=False)
class Delivery:
    """A message with its tag; the tag means nothing on another channel."""

    message: Incoming
    tag: int
    channel: int  # counts the channels of this process
    arrived: float = field(default_factory=time.monotonic)
    asked: int = 0  # how often a claim gave it no answer
