"""The belongings of jobs: the artifacts that they save and read, and the folders for the files they have in hand.

So many uploads and so many reads at once, each with places of its own: a read may be what an upload waits for.  What is
deleted is deleted on a thread, for it may be much, and nobody waits for it but the end of the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from actors.context import Wanted
from actors.ends import PermanentError
from actors.lane import reading
from actors.scratch import Scratches, delete
from persistence.artifacts.archive import Archive, Label, Saver
from persistence.artifacts.artifact import Artifact
from persistence.artifacts.content import Content
from persistence.store.database import Database
from wire.errors import Refused

UPLOADS_AT_ONCE: Final = 32  # each holds up to three parts in memory, 15 MB
READS_AT_ONCE: Final = 32


class Belongings:
    """Of all jobs of one lane; called on its loop, but for `make_folder`."""

    def __init__(self, database: Database, archive: Archive, scratches: Scratches) -> None:
        self.archive, self._database, self.scratches = archive, database, scratches
        self._uploads, self._reads = asyncio.Semaphore(UPLOADS_AT_ONCE), asyncio.Semaphore(READS_AT_ONCE)
        self._clearing: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Delete what a dead process has left."""
        self._aside(self.scratches.tidy)

    async def stop(self) -> None:
        await self.archive.stop()
        if self._clearing:
            await asyncio.wait(self._clearing)
        await asyncio.to_thread(self.scratches.stop)

    async def save(self, saver: Saver, label: Label, content: Content) -> Artifact:
        """The artifact, safe and listed; what is refused will be so at each attempt."""
        try:
            async with self._uploads:
                return await self.archive.save(saver, label, content)
        except Refused as e:
            raise PermanentError(str(e)) from None

    async def read(self, wanted: Wanted, folder: Path) -> Path:
        async with self._reads:
            return await reading.read(self._database, self.archive.store, wanted, folder)

    def make_folder(self, saver: Saver) -> Path:
        """For the files of this attempt."""
        return self.scratches.make(saver.job_id, saver.lease)

    def clear(self, folder: Path) -> None:
        """Delete it, behind its attempt."""
        self._aside(delete, folder)

    def _aside(self, work: Callable[..., None], *what: object) -> None:
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(work, *what))
        self._clearing.add(task)
        task.add_done_callback(self._clearing.discard)
