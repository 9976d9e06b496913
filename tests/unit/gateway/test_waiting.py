"""Whoever waits for a job is told soon, and does not make it dear for Postgres that others wait too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from gateway.telling.waiting import LONGEST_SECONDS, YOUNG_SECONDS, Waiting

PATIENT, LASTS_SECONDS = 50, 0.4


class Store:
    """Of all jobs it is asked for it says that they are not finished, but of those that are."""

    def __init__(self) -> None:
        self.asked: list[UUID] = []
        self.finished: set[UUID] = set()

    async def read(self, _: str, ids: Sequence[UUID], __: object) -> list[dict[str, UUID]]:
        self.asked += ids
        return [{"id": one} for one in ids if one not in self.finished]


async def test_newcomers_do_not_have_all_the_others_looked_for_each_time() -> None:
    """
    A gateway may have hundreds that wait for a minute each, and some that come and go all the time.
    """
    store = Store()
    database: Any = store
    one = Waiting(database)
    await one.start()
    patient = [uuid4() for _ in range(PATIENT)]
    waits = [asyncio.create_task(one.until_finished(job, 60, lambda: False)) for job in patient]
    await _come_and_go(one, YOUNG_SECONDS + 0.1)
    store.asked.clear()
    took = await _come_and_go(one, LASTS_SECONDS)
    looked, others = store.asked.count(patient[0]), len(store.asked) - PATIENT * store.asked.count(patient[0])
    store.finished.update(patient)
    async with asyncio.timeout(4 * LONGEST_SECONDS):
        await asyncio.gather(*waits)
    await one.stop()

    assert 1 <= looked <= 1 + took / (LONGEST_SECONDS / 2)
    assert others > looked


async def _come_and_go(one: Waiting, seconds: float) -> float:
    began = asyncio.get_running_loop().time()
    while (lasts := asyncio.get_running_loop().time() - began) < seconds:
        await one.until_finished(uuid4(), 0.01, lambda: False)
    return lasts
