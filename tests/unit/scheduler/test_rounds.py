"""A loop of the scheduler outlives whatever one round of it meets."""

from __future__ import annotations

import asyncpg
import pytest

from scheduler.rounds import Rounds
from tests.eventually import eventually
from wire.errors import BrokerUnavailable, DatabaseUnavailable


class Troubled(Rounds):
    """Meets these, one a round, and then nothing."""

    def __init__(self, *troubles: Exception, every_seconds: float = 0.001) -> None:
        super().__init__("troubled", every_seconds, full=10)
        self._troubles = list(troubles)
        self.rounds = 0

    async def once(self) -> int:
        self.rounds += 1
        if self._troubles:
            raise self._troubles.pop(0)
        return 0


@pytest.mark.parametrize(
    "trouble",
    [
        DatabaseUnavailable("away"),
        BrokerUnavailable("away"),
        asyncpg.DeadlockDetectedError("collided"),
        ZeroDivisionError("a fault of ours"),
    ],
    ids=repr,
)
async def test_trouble_costs_one_round_and_never_the_loop(trouble: Exception) -> None:
    """
    A scheduler whose heartbeat is green and whose sweep has ended is worse than one that complains.
    """
    loop = Troubled(trouble, trouble)
    await loop.start()
    await eventually(lambda: loop.rounds >= 4)
    await loop.stop()


async def test_a_full_round_is_followed_by_the_next_at_once() -> None:
    class Busy(Troubled):
        async def once(self) -> int:
            await super().once()
            return 10 if self.rounds < 5 else 0

    loop = Busy(every_seconds=60)
    await loop.start()
    await eventually(lambda: loop.rounds == 5)
    await loop.stop()
