"""Which batches take more jobs: asked for every job that names one.

The answer is kept for a moment, because ten thousand jobs of one request name the same batch.  A job that slips in just
as its batch is closed is counted like any other; see persistence/batches/batches.py.
"""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

from persistence.batches import batches
from persistence.store.database import Database
from wire.errors import DatabaseUnavailable, Refused

KEPT_SECONDS: Final = 0.2
MOST_KEPT: Final = 1_000
AWAY_SECONDS: Final = 2.0  # ten thousand jobs must not wait for ten thousand deadlines, one after the other


class OpenBatches:
    """The batches that were open a moment ago."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: dict[UUID, float] = {}  # until when we believe it
        self._away_until = 0.0

    async def check(self, batch_id: UUID) -> None:
        """Refused if there is no such batch or it is closed; while Postgres is away nobody is refused."""
        now = time.monotonic()
        if self._open.get(batch_id, now) > now or self._away_until > now:
            return
        try:
            batch = await batches.one_batch(self._database, batch_id)
        except DatabaseUnavailable:
            self._away_until = time.monotonic() + AWAY_SECONDS
            return  # the job is accepted without it, and counted when its row is born
        if batch is None:
            raise Refused(
                "batch_id", f"{batch_id} is no batch", "make it first: POST /api/v1/batches, with `open`: true"
            )
        if batch.state != "open":
            remedy = "make a batch with `open`: true, and close it after its last job"
            raise Refused("batch_id", f"{batch_id} takes no more jobs", remedy, code="wrong_state")
        self._keep(batch_id, now)

    def forget(self, batch_id: UUID) -> None:
        """It was closed here."""
        self._open.pop(batch_id, None)

    def _keep(self, batch_id: UUID, now: float) -> None:
        if len(self._open) >= MOST_KEPT:
            self._open = {kept: until for kept, until in self._open.items() if until > now}
        self._open[batch_id] = now + KEPT_SECONDS
