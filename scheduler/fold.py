"""Fold the deltas of the counts into sums, so that a reader adds up few rows.

Nothing depends on it but speed and two metrics: the counts are exact without it.  An hour without a scheduler is worked
off in batches.

Each delta is folded once, so this is where the ends of jobs are counted for the whole cluster: a job ends by its
worker's word, but also by a request, by its time, by the death of its worker, and no two of these are one place.
"""

from __future__ import annotations

from typing import Final

from persistence.questions import counts
from persistence.store.database import Database
from scheduler.rounds import Rounds
from wire.metrics import table as metrics

EVERY_SECONDS: Final = 1.0  # a busy second appends about a thousand deltas


class Fold(Rounds):
    """A round is one batch."""

    def __init__(self, database: Database) -> None:
        super().__init__("fold", EVERY_SECONDS, full=counts.FOLDED_AT_ONCE)
        self._database = database

    async def once(self) -> int:
        """Fold one batch; says how many deltas that were."""
        folded = await counts.fold(self._database)
        for (job_type, state), jobs in folded.ended.items():
            metrics.JOBS_COMPLETED.add(job_type, state, by=jobs)
        for reason, letters in folded.kept.items():
            metrics.LETTERS_KEPT.add(reason, by=letters)
        return folded.deltas
