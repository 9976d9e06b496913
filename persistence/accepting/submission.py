"""A job that has passed a door: the envelope with its type's defaults filled in, ready to become a row.

The body keeps only what the sender said, so that the same request always makes the same bytes and the same hash, even
after a type's defaults have changed.  A key and `unique` have done their work at the door, and are not in it.  Never
decides whether a payload is valid; see payloads.py.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from persistence.declared.job_types import JobType
from wire.envelope import Envelope
from wire.identity import body_hash
from wire.message import ReplyTo
from wire.tracing import Trace
from wire.unique import Contest


class Submission(msgspec.Struct, frozen=True):
    """One row to be."""

    id: UUID
    type: str
    queue: str
    priority: int
    body: bytes
    body_hash: bytes
    tags: tuple[str, ...]
    batch_id: UUID | None
    max_retries: int
    timeout_seconds: float
    starts_at: datetime | None
    expires_at: datetime | None
    trace: Trace
    reply_to: ReplyTo | None = None
    unique: Contest | None = None


def fill(envelope: Envelope, job_type: JobType, body: bytes, trace: Trace, now: datetime) -> Submission:
    """The submission of an envelope that has an id."""
    assert envelope.id is not None
    return Submission(
        id=envelope.id,
        type=envelope.type,
        queue=job_type.queue,
        priority=job_type.priority if envelope.priority is None else envelope.priority,
        body=body,
        body_hash=body_hash(body),
        tags=envelope.tags,
        batch_id=envelope.batch_id,
        max_retries=job_type.max_retries if envelope.max_retries is None else envelope.max_retries,
        timeout_seconds=job_type.timeout_seconds if envelope.timeout_seconds is None else envelope.timeout_seconds,
        starts_at=envelope.starts_at(now),
        expires_at=envelope.expires_at,
        trace=trace,
        unique=_contest(envelope),
    )


def _contest(envelope: Envelope) -> Contest | None:
    unique = envelope.unique
    return None if unique is None else Contest(unique.key(envelope.type, envelope.payload), unique)
