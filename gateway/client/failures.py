"""What a client raises, beside `Refused` and `Unavailable` of every other door.

Refused                  what was asked cannot be done: field, problem, remedy, code
└── NotFound             there is no such job, batch, crawl or dead letter
Unavailable
└── NotConfirmed         no door said that it has it; `id` is what to send it again with
WarrenError
├── JobFailed            it was waited for, and ended without a result; `job` tells how
├── StillOpen            it was waited for, and has not ended yet; `job` tells where it stands
├── BatchFailed          a batch was waited for, and not all its jobs have completed; `batch` counts them
├── BatchStillOpen       the same, and it has not ended yet; `batch` tells where it stands
├── CrawlFailed          a crawl was waited for, and none of its articles could be read; `crawl` counts them
└── CrawlStillOpen       the same, and some are still pending
"""

from __future__ import annotations

from uuid import UUID

from gateway.client.crawl_replies import CrawlStatus
from gateway.client.replies import Batch, Job
from wire.errors import Refused, Unavailable, WarrenError


class NotFound(Refused):
    """There is no such job, batch or dead letter: it never was, or it was deleted, retired or discarded."""


class NotConfirmed(Unavailable):
    """Perhaps accepted, perhaps not: sent again with this id or key it cannot become a second one."""

    def __init__(self, job_id: UUID | None, key: str | None, why: str, what: str = "job") -> None:
        self.id, self.key = job_id, key
        again = f"id={str(job_id)!r}" if key is None else f"key={key!r}"
        super().__init__(f"no answer says that the {what} is safe: {why}; submit it again with {again}")


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


class BatchFailed(WarrenError):
    """The batch ended, and not all of its jobs have completed."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        super().__init__(f"{_named(batch)} {batch.state}: {_counted(batch)}")


class BatchStillOpen(WarrenError):
    """The batch has not ended within the time that it was waited for."""

    def __init__(self, batch: Batch, seconds: float) -> None:
        self.batch = batch
        what = "close it after its last job" if batch.state == "open" else "wait for it again"
        super().__init__(f"{_named(batch)} is {batch.state} after {seconds:g} s: {_counted(batch)}; {what}")


class CrawlFailed(WarrenError):
    """Not one of the crawl's articles could be read."""

    def __init__(self, crawl: CrawlStatus) -> None:
        self.crawl = crawl
        super().__init__(f"crawl {crawl.id}: all {crawl.total_articles} articles have failed; its results say why")


class CrawlStillOpen(WarrenError):
    """Some of the crawl's articles were still pending at the end of the time that it was waited for."""

    def __init__(self, crawl: CrawlStatus, seconds: float) -> None:
        self.crawl = crawl
        told = f"{crawl.pending} of {crawl.total_articles} articles are pending after {seconds:g} s"
        super().__init__(f"crawl {crawl.id}: {told}; wait for it again")


def _named(batch: Batch) -> str:
    return f"batch {batch.id}" + (f" ({batch.name})" if batch.name else "")


def _counted(batch: Batch) -> str:
    counts = {name: getattr(batch.counts, name) for name in batch.counts.__struct_fields__ if name != "total"}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"of {batch.counts.total} jobs {told}" if told else "it has no jobs"
