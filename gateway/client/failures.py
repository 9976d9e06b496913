"""What a client raises, beside `Refused` and `Unavailable` of every other door.

Refused                  what was asked cannot be done: field, problem, remedy, code
└── NotFound             there is no such job
Unavailable
└── NotConfirmed         no door said that it has the job; `id` is what to send it again with
WarrenError
├── JobFailed            it was waited for, and ended without a result; `job` tells how
└── StillOpen            it was waited for, and has not ended yet; `job` tells where it stands
"""

from __future__ import annotations

from uuid import UUID

from gateway.client.replies import Job
from wire.errors import Refused, Unavailable, WarrenError


class NotFound(Refused):
    """There is no such job: it never was, or it was deleted or retired."""


class NotConfirmed(Unavailable):
    """Perhaps accepted, perhaps not: sent again with this id or key it cannot become a second job."""

    def __init__(self, job_id: UUID | None, key: str | None, why: str) -> None:
        self.id, self.key = job_id, key
        again = f"id={str(job_id)!r}" if key is None else f"key={key!r}"
        super().__init__(f"no answer says that the job is safe: {why}; submit it again with {again}")


class JobFailed(WarrenError):
    """The job ended as failed, cancelled or expired."""

    def __init__(self, job: Job) -> None:
        self.job = job
        why = f" ({job.reason})" if job.reason else ""
        error = f": {job.error.type}: {job.error.message}" if job.error else ""
        super().__init__(f"job {job.id} of type {job.type!r} {job.state}{why} at attempt {job.attempt}{error}")


class StillOpen(WarrenError):
    """The job has not ended within the time that it was waited for."""

    def __init__(self, job: Job, seconds: float) -> None:
        self.job = job
        super().__init__(f"job {job.id} of type {job.type!r} is {job.state} after {seconds:g} s; wait for it again")
