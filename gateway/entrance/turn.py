"""Share the loop: whoever has much to do stops every few milliseconds and lets the others have their turn.

One request of ten thousand jobs must not hold up the small ones beside it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

TURN_SECONDS: Final = 0.002  # a small request takes some ten turns of the loop, and waits as often for the big one


class Turn:
    """The time that one piece of long work has had the loop."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def pass_on(self) -> None:
        """Return at once, or after all others have had their turn if this one has lasted long enough."""
        if time.perf_counter() - self._since >= TURN_SECONDS:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
