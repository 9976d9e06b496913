"""What Python code asks for, as an envelope: the same arguments in `submit` inside of a job and in every client.

A job's type is its name, or the function that `@job` made of it.  What is said is read by the rules of every other door
(wire/fields.py), so that a program is refused in the same words, and before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypedDict, TypeVar
from uuid import UUID

from wire import strict_json
from wire.envelope import Envelope
from wire.fields import READERS, check_type

Payload_contra = TypeVar("Payload_contra", contravariant=True)


class Named(Protocol):
    """What `@job` makes of a function: it knows its type's name."""

    actor_name: str


class Takes(Named, Protocol[Payload_contra]):
    """The same, of a function that takes this payload; a type checker holds the two together."""

    def __call__(self, payload: Payload_contra, /) -> object: ...


class TakesNothing(Named, Protocol):
    """The same, of a function without a payload."""

    def __call__(self) -> object: ...


class Said(TypedDict, total=False):
    """What may be said of a job; what is not said is its type's default."""

    priority: int | str | None
    delay: float | timedelta | None
    run_at: datetime | None
    expires_at: datetime | None
    max_retries: int | None
    timeout_seconds: float | None
    tags: Sequence[str]
    unique: bool | Mapping[str, Any] | None
    batch_id: UUID | str | None


def name_of(job_type: str | Named) -> str:
    """The type's name, or Refused."""
    return check_type(job_type if isinstance(job_type, str) else job_type.actor_name)


def checked_key(key: str | None) -> str | None:
    """The key, or Refused."""
    return key if key is None else READERS["idempotency_key"]("key", key)


def envelope_of(
    job_type: str | Named, payload: object, said: Said, *, id: UUID | None = None, key: str | None = None
) -> Envelope:
    """The envelope of what was asked for, or Refused with the field and the remedy."""
    unknown = set(said) - Said.__optional_keys__
    if unknown:
        known = ", ".join(sorted((*Said.__optional_keys__, "key")))
        raise TypeError(f"submit() does not know {', '.join(sorted(unknown))}; known: {known}")
    text = strict_json.encode({} if payload is None else payload, "payload", around=1)
    values = {name: _plain(value) for name, value in said.items() if value is not None}
    read: dict[str, Any] = {name: READERS[name](name, value) for name, value in values.items()}
    if "delay" in read and "run_at" in read:
        raise TypeError("submit() takes delay or run_at, not both")
    fields: Mapping[str, Any] = READERS["payload"]("payload", strict_json.parse(text.encode(), "payload", around=1))
    return Envelope(name_of(job_type), fields, text.encode(), id=id, idempotency_key=key, **read)


def _plain(value: object) -> object:
    """As it would stand in JSON, which is what the readers of the fields know."""
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case tuple() | set() | frozenset():
            return list(value)
    return value
