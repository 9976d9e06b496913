"""The rest of a lane that has nothing to do: who looks around many times a second need not, until a delivery comes.

Nothing is noticed later for it: at rest nothing runs, nothing waits and no claim is under way.  An idle worker woke up
37 times a second, most of its processor time, to see that there was nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from wire.lifecycle import pause


class Rest:
    """Begins by itself whenever there is nothing, and ends with the next claim."""

    def __init__(self, nothing: Callable[[], bool]) -> None:
        self._nothing, self._over = nothing, asyncio.Event()

    def end(self) -> None:
        """There is something to do."""
        self._over.set()

    async def sit_out(self, most_seconds: float | None = None) -> bool:
        """Return when there is something, or after so long; at once, and False, if there is something now."""
        if not self._nothing():
            return False
        self._over.clear()
        if most_seconds is None:
            await self._over.wait()
        else:
            await pause(self._over, most_seconds)
        return True
