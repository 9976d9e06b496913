"""How far each queue has come: when the job was due that has just started for the first time.

What was due long before it and still waits has been overtaken, and is looked for; see persistence/mending/rescue.py.
"""

from __future__ import annotations

from datetime import datetime

from actors.deliveries.delivery import Delivery
from persistence.attempts.claim import Claim
from persistence.declared.job_types import JobType


class Marks:
    """By queue and priority, since they were last told."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, int], datetime] = {}

    def note(self, delivery: Delivery, claim: Claim, job_type: JobType) -> None:
        """A first start; what was taken from its row says nothing, for it came out of its turn."""
        if claim.first and claim.due_at is not None and delivery.in_turn:
            place = (job_type.queue, delivery.message.priority or job_type.priority)
            self._marks[place] = max(claim.due_at, self._marks.get(place, claim.due_at))

    def told(self) -> dict[tuple[str, int], datetime]:
        """Those since the last time; called from the heartbeat's thread."""
        marks, self._marks = self._marks, {}
        return marks
