"""The envelope: one JSON shape for a job, the same in every door.

Parsed once at the door, then trusted.  Unknown fields are refused, because a typo in `max_retrys` must not be silent;
fields that begin with `x_` are kept and carried.  The payload's own bytes are kept beside the parsed value, so that
what a sender wrote (key order, the spelling of numbers) is what an actor's caller reads back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from wire import strict_json
from wire.errors import Refused
from wire.fields import LONGEST_WAIT, READERS, VERSION, kind
from wire.unique import Unique

MAX_BYTES: Final = 256 * 1024


class Envelope(msgspec.Struct, frozen=True):
    """What a sender asked for; None means the type's own default."""

    type: str
    payload: Mapping[str, Any]
    payload_json: bytes
    id: UUID | None = None
    priority: int | None = None
    max_retries: int | None = None
    timeout_seconds: float | None = None
    run_at: datetime | None = None
    delay: float | None = None
    expires_at: datetime | None = None
    tags: tuple[str, ...] = ()
    batch_id: UUID | None = None
    idempotency_key: str | None = None
    unique: Unique | None = None
    extra: Mapping[str, Any] = msgspec.field(default_factory=dict)

    def with_id(self, job_id: UUID) -> Envelope:
        return replace(self, id=job_id)

    def starts_at(self, now: datetime) -> datetime | None:
        """When to start, if not at once; a delay counts from the moment it is first seen."""
        return now + timedelta(seconds=self.delay) if self.delay else self.run_at


def parse(body: bytes, *, now: datetime, max_bytes: int = MAX_BYTES) -> Envelope:
    """The envelope in these bytes, or Refused with the field and the remedy."""
    if len(body) > max_bytes:
        remedy = "send a reference to the data instead"
        raise Refused("body", f"has {len(body)} bytes; at most {max_bytes} are taken", remedy, code="too_large")
    fields = strict_json.parse(body)
    if not isinstance(fields, dict):
        raise Refused("body", f"must be a JSON object, got {kind(fields)}")
    extra = {name: value for name, value in fields.items() if name.startswith("x_")}
    _refuse_unknown(fields, extra)
    values = {name: read(name, said) for name, read in READERS.items() if (said := fields.get(name)) is not None}
    for name in ("type", "payload"):
        if name not in values:
            raise Refused(name, "is missing", f"every job has a {name}")
    values.pop("v", None)
    _check_start(values, now)
    return Envelope(**values, payload_json=_payload_bytes(body, fields), extra=extra)


def encode(envelope: Envelope) -> bytes:
    """The body that is published and kept: written once, never changed."""
    fields: dict[str, object] = {
        "id": envelope.id,
        "type": envelope.type,
        "payload": msgspec.Raw(envelope.payload_json),
        "priority": envelope.priority,
        "max_retries": envelope.max_retries,
        "timeout_seconds": envelope.timeout_seconds,
        "run_at": envelope.run_at,
        "delay": envelope.delay,
        "expires_at": envelope.expires_at,
        "tags": envelope.tags or None,
        "batch_id": envelope.batch_id,
        "idempotency_key": envelope.idempotency_key,
        "unique": envelope.unique and envelope.unique.said(),
    }
    said = {name: value for name, value in fields.items() if value is not None}
    carried = {name: msgspec.Raw(strict_json.encode(value).encode()) for name, value in envelope.extra.items()}
    return msgspec.json.encode(said | carried)


def payload_of(body: bytes) -> bytes:
    """The exact bytes of the payload inside a body that was accepted before."""
    return bytes(_raw_payload(body).payload)


def type_of(body: bytes) -> str | None:
    """The type that a body names; only for a body that was accepted before can it be relied on."""
    try:
        return _named(body).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _RawPayload(msgspec.Struct):
    payload: msgspec.Raw


class _Named(msgspec.Struct):
    type: str


_raw_payload = msgspec.json.Decoder(_RawPayload).decode
_named = msgspec.json.Decoder(_Named).decode


def _payload_bytes(body: bytes, fields: Mapping[str, Any]) -> bytes:
    if isinstance(fields["payload"], str):  # a JSON string that holds an object, as one of the dialects sends it
        return str(fields["payload"]).encode()
    return payload_of(body)


def _refuse_unknown(fields: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
    unknown = [name for name in fields if name not in READERS and name not in extra]
    if unknown:
        remedy = f"version {VERSION} knows {', '.join(READERS)}, and names that begin with x_"
        raise Refused(unknown[0][:80], "is not a field of the envelope", remedy)


def _check_start(values: Mapping[str, Any], now: datetime) -> None:
    if "run_at" in values and "delay" in values:
        raise Refused("delay", "and run_at both say when to start", "send one of them")
    if "run_at" in values and values["run_at"] > now + LONGEST_WAIT:
        raise Refused("run_at", "is more than ten years ahead", "a schedule repeats; a job starts once")
