"""The callback of a batch that has ended: an ordinary job, made of what was asked for when the batch was.

    on_complete  every child completed
    on_failure   it ended otherwise: a child failed, expired or was cancelled, or the whole batch was

Its payload is the one that was given, with the field `batch` put in: which batch, how it ended, and the counts.  The
rest of its bytes stay as they were sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec.structs import replace

from persistence.accepting.submission import Submission, fill
from persistence.declared import job_types
from persistence.declared.job_types import JobType
from persistence.store.database import Row
from persistence.tables import COUNTERS
from wire import envelope
from wire.envelope import Envelope
from wire.errors import Refused
from wire.identity import id_from_key
from wire.tracing import Trace

FIELD: Final = "batch"
ENDED: Final = tuple(name for name in COUNTERS if name not in ("pending", "running"))
MOST_BYTES: Final = 8 * 1024 * 1024  # it was judged by the setting when the batch was made

# A type that was taken out of the table by hand: the job is made all the same, and found as unroutable.
_NOBODY: Final = JobType("", "default", "", "{}", 5, 3, 300.0, 2.0, 300.0)


async def of_ends(transaction: asyncpg.Connection, ended: Sequence[Row]) -> dict[UUID, Submission]:
    """The callbacks that are due, by their batches' ids."""
    asked = {row["id"]: text for row in ended if (text := _asked(row)) is not None}
    said = {i: envelope.parse(text.encode(), now=_now(), max_bytes=MOST_BYTES) for i, text in asked.items()}
    kinds = await job_types.named(transaction, [callback.type for callback in said.values()])
    return {row["id"]: _submission(said[row["id"]], row, kinds) for row in ended if row["id"] in said}


def told(callback: Envelope, end: Mapping[str, object]) -> Envelope:
    """The callback with the end of its batch in its payload; Refused if the payload has such a field already."""
    if FIELD in callback.payload:
        raise Refused(f"payload.{FIELD}", "is where the callback is told of its batch", "use another name")
    inner = callback.payload_json.strip()[1:-1].strip()
    added = b'"%s":%s' % (FIELD.encode(), msgspec.json.encode(end))
    payload_json = b"{" + (inner + b"," if inner else b"") + added + b"}"
    return replace(callback, payload={**callback.payload, FIELD: end}, payload_json=payload_json)


def end_of(row: Row) -> dict[str, object]:
    """What a callback is told."""
    told_counts = {name: row[name] for name in ENDED}
    return {"id": str(row["id"]), "name": row["name"], "state": row["ended_as"], "end": row["ends"], **told_counts}


def _asked(row: Row) -> str | None:
    asked: str | None = row["on_complete"] if row["ended_as"] == "completed" else row["on_failure"]
    return asked


def _submission(said: Envelope, row: Row, kinds: Mapping[str, JobType]) -> Submission:
    scope = f"batch {row['id']} of {row['created_at'].isoformat()}"  # a deleted one's id may be used again
    callback = told(said, end_of(row)).with_id(id_from_key(scope, str(row["ends"])))
    trace = Trace.kept(row["traceparent"], row["tracestate"])
    return fill(callback, kinds.get(said.type, _NOBODY), envelope.encode(callback), trace, _now())


def _now() -> datetime:
    return datetime.now(UTC)
