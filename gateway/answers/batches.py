"""What the routes of batches answer, as structs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from gateway.answers.jobs import JOBS
from gateway.entrance.cursor import Cursor
from persistence.batches import batches
from persistence.batches.batches import BatchState

BATCHES = "/api/v1/batches"


class BatchCounts(Struct, frozen=True):
    """How many of its jobs stand where; the sum of the others is `total`."""

    total: int
    pending: Annotated[int, Meta(description="Scheduled, queued or retrying")]
    running: int
    completed: int
    failed: int
    cancelled: int
    expired: int


class BatchProgress(Struct, frozen=True):
    """How far it is."""

    fraction: Annotated[float, Meta(ge=0, le=1)]
    ended: Annotated[int, Meta(description="Jobs that have ended, one way or another")]


class BatchLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    jobs: str
    callback: str | None


class Batch(Struct, frozen=True):
    """A batch as it stands."""

    id: UUID
    name: str | None
    state: Annotated[
        BatchState,
        Meta(description="`open` takes more jobs; `failed`: it ended, and not all completed; `cancelled`: as asked"),
    ]
    counts: BatchCounts
    progress: BatchProgress
    tags: tuple[str, ...]
    on_complete: Annotated[Raw | None, Meta(description="The job to submit when all have completed")]
    on_failure: Annotated[Raw | None, Meta(description="The job to submit when it ends otherwise")]
    callback_id: Annotated[UUID | None, Meta(description="The job that its last end has submitted")]
    ends: Annotated[int, Meta(description="How often it has ended; a job that is sent again opens it again")]
    created_at: datetime
    closed_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    trace_id: str
    links: BatchLinks
    duplicate: Annotated[bool | UnsetType, Meta(description="true if this batch had been made before")] = UNSET


class BatchList(Struct, frozen=True):
    items: list[Batch]
    next_cursor: Cursor


def batch(found: batches.Batch, *, duplicate: bool = False) -> Batch:
    counts = found.counts
    return Batch(
        id=found.id,
        name=found.name,
        state=found.state,
        counts=BatchCounts(**{name: getattr(counts, name) for name in BatchCounts.__struct_fields__}),
        progress=BatchProgress(
            counts.ended / counts.total if counts.total else float(found.finished_at is not None), counts.ended
        ),
        tags=found.tags,
        on_complete=_raw(found.on_complete),
        on_failure=_raw(found.on_failure),
        callback_id=found.callback_id,
        ends=found.ends,
        created_at=found.created_at,
        closed_at=found.closed_at,
        finished_at=found.finished_at,
        cancel_requested_at=found.cancel_requested_at,
        trace_id=found.trace_id,
        links=_links(found),
        duplicate=True if duplicate else UNSET,
    )


def _links(found: batches.Batch) -> BatchLinks:
    callback = f"{JOBS}/{found.callback_id}" if found.callback_id else None
    return BatchLinks(f"{BATCHES}/{found.id}", f"{JOBS}?batch_id={found.id}", callback)


def _raw(text: str | None) -> Raw | None:
    return None if text is None else Raw(text.encode())
