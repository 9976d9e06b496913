"""Work off redrives by filter: each at its own rate, until its last letter or its stop.

A run belongs to one gateway at a time.  What this process holds it works off in a task a run; when it dies, another
takes the run up after a silence and goes on behind the last letter that is marked.
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID, uuid4

import structlog

from gateway.redriving.redrive import Redrive
from persistence.letters import letters, redrive_runs
from persistence.letters.redrive_runs import Run
from persistence.store.database import COLLIDED, Database
from wire.errors import Unavailable
from wire.lifecycle import lasting, pause

log = structlog.get_logger()

LOOK_SECONDS: Final = 3.0  # also how often a run is kept; a fifth of the silence after which another takes it up
AT_ONCE: Final = 20  # letters in memory, with their bytes


class Redriver:
    """One look for runs, and a task for each that is ours."""

    def __init__(self, database: Database, redrive: Redrive, max_bytes: int) -> None:
        self._database, self._redrive, self._max_bytes = database, redrive, max_bytes
        self._holder = uuid4()
        self._asked, self._stopped = asyncio.Event(), asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._runs: dict[UUID, asyncio.Task[None]] = {}

    async def start(self) -> None:
        self._looking = lasting(self._look_for_runs(), "redriver")

    async def stop(self) -> None:
        """End after the letters in hand, and leave the runs to others; a second stop is fine."""
        looking, self._looking = self._looking, None
        if looking is None:
            return
        self._stopped.set()
        self._asked.set()
        await looking
        await asyncio.gather(*self._runs.values())
        try:
            await redrive_runs.let_go(self._database, self._holder)
        except Unavailable as e:
            log.info("redrives_not_let_go", error=str(e))  # our silence does it

    def look(self) -> None:
        """There is a new run."""
        self._asked.set()

    async def _look_for_runs(self) -> None:
        while not self._stopped.is_set():
            self._asked.clear()
            try:
                for run in await redrive_runs.take_up(self._database, self._holder):
                    self._take(run)
            except (Unavailable, *COLLIDED) as e:
                log.debug("redriver_waits", error=str(e))
            await pause(self._asked, LOOK_SECONDS)

    def _take(self, run: Run) -> None:
        self._runs = {run_id: task for run_id, task in self._runs.items() if not task.done()}
        if run.id not in self._runs and not self._stopped.is_set():
            self._runs[run.id] = asyncio.create_task(self._work_off(run), name=f"redrive {run.id}")

    async def _work_off(self, run: Run) -> None:
        try:
            ended = await self._letter_by_letter(run)
        except (Unavailable, *COLLIDED) as e:
            log.warning("redrive_interrupted", run=str(run.id), error=str(e))  # the next look goes on with it
        except Exception:  # the edge of the process: the letter in hand was not marked, the next look tries it again
            log.exception("redrive_failed", run=str(run.id))
        else:
            log.info("redrive_ended" if ended else "redrive_left", run=str(run.id))

    async def _letter_by_letter(self, run: Run) -> bool:
        """True at its end; False when it was stopped, has passed to another, or we stop."""
        loop, after, due = asyncio.get_running_loop(), run.after_letter, 0.0
        while batch := await letters.between(
            self._database, run.filter, after, run.last_letter, limit=AT_ONCE, most_bytes=self._max_bytes
        ):
            for opened in batch:
                if await pause(self._stopped, max(0.0, due - loop.time())):
                    return False
                due = max(due, loop.time()) + 1 / run.rate
                if not await self._redrive.step(run.id, self._holder, opened):
                    return False
                after = opened.letter.id
        await redrive_runs.finish(self._database, run.id, self._holder)
        return True
