"""So many jobs a second, for so long, whatever becomes of them.

The pace is an open loop: what the stores need to answer does not slow it, up to `AT_ONCE` deeds under way.  A deed that
fails is counted by its sentence and not repeated: a demo goes on while servers are killed, which is what one wants to
see in the dashboards.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from deploy.demo.deeds import Deed, Shop
from wire.errors import WarrenError

AT_ONCE = 64
LONGEST_LAG_SECONDS = 1.0  # what was missed while nothing could be sent is not made up for


@dataclass(slots=True)
class Sent:
    """How many jobs were submitted at each door, and what was said where they were not."""

    by_door: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def jobs(self) -> int:
        return sum(self.by_door.values())


@dataclass(slots=True)
class Later:
    """What somebody does after a while; what is not due when the demo ends is not done."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __call__(self, seconds: float, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._run(seconds, work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _run(self, seconds: float, work: Coroutine[Any, Any, None]) -> None:
        try:
            await asyncio.sleep(seconds)
            await work
        except WarrenError:
            return  # a store is away: it stays as it was
        finally:
            work.close()

    async def forget(self) -> None:
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def drive(shop: Shop, rate: float, seconds: float, stop: asyncio.Event, sent: Sent) -> None:
    """Return after so many seconds (0: never), or when `stop` is set, with no deed under way."""
    clock = asyncio.get_running_loop().time
    began = due = clock()
    gate = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as under_way:
        while not stop.is_set() and not (seconds and clock() - began >= seconds):
            deed = shop.draw()
            await gate.acquire()
            under_way.create_task(_do(deed, shop, sent, gate.release))
            due = max(due + max(deed.jobs, 1) / rate, clock() - LONGEST_LAG_SECONDS)
            await _until(stop, min(due, began + seconds) if seconds else due, clock)


async def _do(deed: Deed, shop: Shop, sent: Sent, done: Callable[[], None]) -> None:
    try:
        await deed.do(shop)
    except (WarrenError, TimeoutError) as e:
        sent.faults[f"{deed.door}: {type(e).__name__}"] += 1
    else:
        sent.by_door[deed.door] += deed.jobs
    finally:
        done()


async def _until(stop: asyncio.Event, due: float, clock: Callable[[], float]) -> None:
    wait: Awaitable[Any] = stop.wait()
    try:
        async with asyncio.timeout(max(due - clock(), 0)):
            await wait
    except TimeoutError:
        return
