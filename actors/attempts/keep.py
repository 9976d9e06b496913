"""Write what attempts have logged: twice a second what runs, and what ends before its outcome is recorded.

So whoever sees that a job has ended finds all its lines, and of an attempt whose process dies all but those of its last
half second are there.  Logs stop no job: with Postgres away they wait, the last lines of each attempt, and are written
when it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from actors.context import Context
from actors.lines import Lines, unwritten
from persistence.attempts import attempt_logs
from persistence.store.database import COLLIDED, DATA_ERRORS, Database
from wire.errors import DatabaseUnavailable

log = structlog.get_logger()

EVERY_SECONDS: Final = 0.5
BATCH: Final = 100  # attempts in a statement: 13 MB at most


class Keeper:
    """Of one process; at rest while nobody logs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._came = asyncio.Event()
        self._writing = asyncio.Lock()
        self._loop = asyncio.get_running_loop()

    @property
    def at_work(self) -> bool:
        """Whether there is anything that somebody who ends should wait for."""
        return bool(unwritten) or self._writing.locked()

    async def work(self) -> None:
        """For as long as the lane lives."""
        unwritten.first_came = self._tell
        while True:
            if not unwritten:
                self._came.clear()
                await self._came.wait()
            await asyncio.sleep(EVERY_SECONDS)
            await self._write(None)

    async def finish(self, jobs: Iterable[Context]) -> None:
        """Write what these, which have ended, have logged."""
        if ended := [job.lines for job in jobs if job.lines is not None]:
            await self._write(ended)

    def _tell(self) -> None:
        """From whatever thread logs."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._came.set)

    async def _write(self, only: list[Lines] | None) -> None:
        async with self._writing:  # what is on its way stands before anybody's outcome is recorded
            taken = unwritten.take(only)
            for start in range(0, len(taken), BATCH):
                await self._write_some(taken[start : start + BATCH])

    async def _write_some(self, some: list[Lines]) -> None:
        pieces = [(lines, piece) for lines in some if (piece := lines.take())]
        try:
            await attempt_logs.write(self._database, [piece for _, piece in pieces])
        except (DatabaseUnavailable, *COLLIDED) as e:
            for lines, piece in pieces:
                lines.put_back(piece)
            log.warning("attempt_logs_wait", attempts=len(pieces), error=str(e))
        except DATA_ERRORS as e:
            log.error("attempt_logs_lost", attempts=len(pieces), error=str(e))  # they must not keep jobs from ending
