"""How long to wait before a connection is tried again: doubling, capped, with jitter so that a crowd spreads out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

FIRST_SECONDS: Final = 0.1
CAP_SECONDS: Final = 2.0  # a server that is back is noticed within this, however long it was away


def waits(cap_seconds: float = CAP_SECONDS) -> Iterator[float]:
    """Seconds to wait, for ever."""
    seconds = FIRST_SECONDS
    while True:
        yield seconds * random.uniform(0.75, 1.25)  # noqa: S311 - jitter is no secret
        seconds = min(cap_seconds, seconds * 2)
