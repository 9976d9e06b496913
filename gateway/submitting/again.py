"""The same request again is the same batch or crawl: by an id of its own, by an Idempotency-Key, by the same bytes.

What bears the id and came of other bytes is refused, never answered as if it had been asked for.
"""

from __future__ import annotations

from typing import Protocol, TypeVar
from uuid import UUID

from wire.errors import Refused
from wire.identity import fresh_id, id_from_key


class Requested(Protocol):
    """What was made of a request."""

    @property
    def id(self) -> UUID: ...
    @property
    def request_hash(self) -> bytes: ...


T = TypeVar("T", bound=Requested)


def id_of(what: str, asked: UUID | None, scope: str, key: str | None) -> UUID:
    """The id of the batch or crawl that is asked for by this id, by this key of this caller, or by neither."""
    plural = "batches" if what == "batch" else f"{what}s"  # ids that were derived before stay what they are
    derived = id_from_key(f"{plural} of {scope}", key) if key is not None else None
    if derived and asked and derived != asked:
        raise Refused("id", f"and the header Idempotency-Key both name the {what}", "send one of them")
    return derived or asked or fresh_id()


def the_same(what: str, known: T, request_hash: bytes) -> T:
    """What is known by this id, if it was made of the same request; Refused otherwise."""
    if known.request_hash == request_hash:
        return known
    problem, remedy = f"{known.id} belongs to another {what}", "send the same request again or use a fresh id"
    raise Refused("id", problem, remedy, code="id_reused")
