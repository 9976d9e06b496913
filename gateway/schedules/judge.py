"""Judge a schedule as each of its jobs will be judged, and by the clock: a job that would be refused is refused now.

What was right when it was made may not stay so: a type may go, or its payload's schema change.  That is then told by
its runs, not here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from gateway.entrance.query import MAX_TEXT
from gateway.schedules.request import Asked
from persistence.declared import payloads
from persistence.declared.job_types import Catalogue
from persistence.foreign.intake import unknown_type
from persistence.schedules.schedule import NEVER, Next, Plan
from wire import envelope, scheduled, strict_json
from wire.envelope import Envelope
from wire.errors import Refused
from wire.times.fires import next_due, offset
from wire.times.when import When

_FAR: Final = datetime(2199, 12, 31, 23, 59, 59, 999_999, UTC).isoformat()
# What the clock puts into the envelope of a run, at its longest
_LONGEST: Final = {"id": str(UUID(int=0)), "name": "n" * 4 * MAX_TEXT, "due_at": _FAR, "following": [_FAR] * 8}


class Judge:
    """Judges plans with what the workers registered."""

    def __init__(self, catalogue: Catalogue, max_bytes: int) -> None:
        self._catalogue, self._max_bytes = catalogue, max_bytes

    async def check(self, plan: Plan) -> None:
        """Refused if a job of this plan would be."""
        job_type = await self._catalogue.find(plan.job_type)
        if job_type is None:
            refused = unknown_type(plan.job_type, self._catalogue.names())
            raise Refused("job_type", refused.problem, refused.remedy, code=refused.code)
        payload = strict_json.parse(plan.payload, "payload", around=1)
        payloads.check(payload, job_type)
        self._check_size(plan, payload)

    def _check_size(self, plan: Plan, payload: dict[str, object]) -> None:
        job = Envelope(
            plan.job_type, payload, plan.payload, id=UUID(int=0), priority=plan.priority, max_retries=plan.max_retries,
            timeout_seconds=plan.timeout_seconds, tags=plan.tags, extra={scheduled.FIELD: _LONGEST},
        )  # fmt: skip
        size = len(envelope.encode(job))
        if size > self._max_bytes:
            problem = f"makes jobs of {size} bytes; at most {self._max_bytes} are taken"
            raise Refused("payload", problem, "send a reference to the data instead", code="too_large")


def coming(when: When, schedule_id: UUID, after: datetime) -> Next:
    """What is due next, and when that fires."""
    due = next_due(when, after)
    return NEVER if due is None else Next(due, due + offset(when, schedule_id, due))


def check_ever_due(asked: Asked, first: Next) -> None:
    """Refused if it would never fire."""
    if first != NEVER:
        return
    when = asked.when
    if when.once_at is not None:
        raise Refused("once_at", f"{when.once_at.isoformat()} is past", "name a later time, or submit a job")
    if when.ends_at is not None:
        raise Refused("ends_at", "comes before the next due time", "send a later end, or none")
    raise Refused("cron_expression", "names no time that ever comes", "look at it in POST /api/v1/schedules/preview")
