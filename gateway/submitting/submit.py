"""Make a submission of what a client sent: parse, find the type, judge the payload and the times, settle the id.

Every door of this room comes through here, so that HTTP and gRPC refuse the same things in the same words.  It decides
whether a job may be accepted; that it is accepted is persistence/accepting/accept.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from gateway.submitting.open_batches import OpenBatches
from persistence.accepting.submission import Submission, fill
from persistence.batches import batch_callbacks
from persistence.declared import payloads
from persistence.declared.job_types import Catalogue, JobType
from persistence.foreign.intake import unknown_type
from persistence.questions import reads
from persistence.store.database import Database
from wire import envelope
from wire.envelope import Envelope
from wire.errors import Refused
from wire.identity import fresh_id, id_from_key
from wire.tracing import Trace

PAST_TOLERANCE: Final = timedelta(seconds=60)  # clocks differ, and a request may have been on its way


class Submitter:
    """Judges submissions with what the workers registered."""

    def __init__(self, catalogue: Catalogue, database: Database, max_bytes: int) -> None:
        self._catalogue, self._database, self._max_bytes = catalogue, database, max_bytes
        self.batches = OpenBatches(database)

    async def prepare(
        self,
        body: bytes,
        *,
        scope: str,
        key: str | None,
        trace: Trace,
        otherwise: str | None = None,
        batch_id: UUID | None = None,
        max_bytes: int | None = None,
    ) -> Submission:
        """The submission in these bytes, or Refused; `otherwise` is the key of a job that has no name of its own.

        `max_bytes` is for a body whose payload is a string, and so longer than what is kept of it.
        """
        now = datetime.now(UTC)
        parsed = envelope.parse(body, now=now, max_bytes=max_bytes or self._max_bytes)
        job_type = await self._type(parsed.type)
        payloads.check(parsed.payload, job_type)
        if key is None and parsed.id is None and parsed.idempotency_key is None:
            key = otherwise
        settled = _in_batch(_with_id(parsed, scope, key), batch_id)
        try:
            _check_times(parsed, now)
            if parsed.batch_id and not batch_id:
                await self.batches.check(parsed.batch_id)
        except Refused:
            # a request that is sent again, after its time has come or its batch was closed, asks about the job it made
            if settled.id == parsed.id is None or not await self._is_known(settled.id):
                raise
        encoded = envelope.encode(replace(settled, unique=None) if settled.unique else settled)
        self._check_size(encoded)
        return fill(settled, job_type, encoded, trace, now)

    async def of_ours(self, made: Envelope, trace: Trace) -> Submission:
        """The submission of an envelope that this room has made; Refused if its type is not there or takes no such."""
        job_type = await self._type(made.type)
        payloads.check(made.payload, job_type)
        return fill(made, job_type, envelope.encode(made), trace, datetime.now(UTC))

    async def check_callback(self, body: bytes, end: Mapping[str, object]) -> str:
        """The job to submit at a batch's end, as it is kept; Refused if it could not be submitted when told of it."""
        parsed = envelope.parse(body, now=datetime.now(UTC), max_bytes=self._max_bytes)
        _check_alone(parsed, "a callback")
        told = batch_callbacks.told(parsed, end)
        payloads.check(told.payload, await self._type(parsed.type))
        self._check_size(envelope.encode(told.with_id(fresh_id())))
        return envelope.encode(parsed).decode()

    def _check_size(self, encoded: bytes) -> None:
        """Again, with the id in it: with Postgres away it goes to RabbitMQ, and the recorder must take it."""
        if len(encoded) > self._max_bytes:
            problem = f"has {len(encoded)} bytes with its id; at most {self._max_bytes} are taken"
            raise Refused("body", problem, "send a reference to the data instead", code="too_large")

    async def _type(self, name: str) -> JobType:
        found = await self._catalogue.find(name)
        if found is None:
            raise unknown_type(name, self._catalogue.names())
        return found

    async def _is_known(self, job_id: UUID | None) -> bool:
        return job_id is not None and await reads.one_job(self._database, job_id) is not None


def _with_id(parsed: Envelope, scope: str, key: str | None) -> Envelope:
    """The envelope with its id; the key has done its work then, and AMQP knows none."""
    keys = {k for k in (key, parsed.idempotency_key) if k is not None}
    if len(keys) > 1:
        raise Refused("idempotency_key", "and the header Idempotency-Key differ", "send one of them")
    derived = id_from_key(scope, keys.pop()) if keys else None
    if derived and parsed.id and derived != parsed.id:
        raise Refused("id", "and the idempotency key both name the job", "send one of them")
    return replace(parsed, id=derived or parsed.id or fresh_id(), idempotency_key=None)


def _check_alone(parsed: Envelope, what: str) -> None:
    if parsed.unique:
        raise Refused("unique", f"is not taken for {what}", "leave it out: another job would stand for it, elsewhere")


def _in_batch(parsed: Envelope, batch_id: UUID | None) -> Envelope:
    if batch_id or parsed.batch_id:
        _check_alone(parsed, "a job of a batch")
    if batch_id is None or parsed.batch_id == batch_id:
        return parsed
    if parsed.batch_id is not None:
        raise Refused("batch_id", f"{parsed.batch_id} is not the batch that this job is sent to", "leave it out")
    return replace(parsed, batch_id=batch_id)


def _check_times(parsed: Envelope, now: datetime) -> None:
    if parsed.run_at and parsed.run_at < now - PAST_TOLERANCE:
        raise Refused("run_at", f"{parsed.run_at.isoformat()} is past", "leave it out to start at once")
    if parsed.expires_at is None:
        return
    if parsed.expires_at <= now:
        raise Refused("expires_at", f"{parsed.expires_at.isoformat()} is past", "name a later time or leave it out")
    starts_at = parsed.starts_at(now)
    if starts_at and parsed.expires_at <= starts_at:
        raise Refused("expires_at", "comes before the job may start", "let it expire after run_at or delay")
