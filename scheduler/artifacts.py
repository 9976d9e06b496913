"""Delete the bytes of artifacts that are not kept: of jobs that are gone, of names saved anew, of uploads that died."""

from __future__ import annotations

from typing import Final

import structlog

from persistence.artifacts.object_store import ObjectStore
from persistence.artifacts.sweep import sweep
from persistence.store.database import Database
from scheduler.rounds import Rounds

log = structlog.get_logger()

EVERY_SECONDS: Final = 5.0
AT_ONCE: Final = 200  # deletions of a store that takes a tenth of a second for each end before their rows come again


class ArtifactSweep(Rounds):
    """A round is one batch; with the object store away it fails, and the rows come again."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        super().__init__("artifact sweep", EVERY_SECONDS, full=AT_ONCE)
        self._database, self._store = database, store

    async def once(self) -> int:
        """Sweep; says how many were looked at."""
        swept = await sweep(self._database, self._store, AT_ONCE)
        if swept.deleted:
            log.info("artifacts_swept", artifacts=swept.deleted)
        return swept.seen
