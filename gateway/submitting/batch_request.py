"""Read what POST /api/v1/batches takes: what is said of the batch, and the bytes of its jobs and callbacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from gateway.entrance import query
from gateway.submitting.large_body import FieldReader, bytes_of, id_of, values_of
from wire import strict_json
from wire.errors import Refused
from wire.fields import READERS, kind

CALLBACK_FIELDS: Final = ("type", "payload", "priority", "max_retries", "timeout_seconds", "delay", "tags")


@dataclass(frozen=True, slots=True)
class Asked:
    """A batch as it was asked for; its jobs and callbacks are bytes still."""

    id: UUID | None = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    jobs: bytes = b"[]"
    open: bool = False
    on_complete: bytes | None = None
    on_failure: bytes | None = None


def read(body: bytes) -> Asked:
    """What is asked for, or Refused."""
    return Asked(**values_of(body, _READERS, "a batch", "send the fields of a batch, and its jobs as `jobs`"))


def callback_body(name: str, asked: bytes) -> bytes:
    """The envelope of a callback, which may leave its payload out; Refused if it says what is not for it to say."""
    fields = strict_json.parse(asked, name)
    if not isinstance(fields, dict):
        raise Refused(name, f"must be a JSON object, got {kind(fields)}", "give it a type, and perhaps a payload")
    for field in fields:
        if field not in CALLBACK_FIELDS and not field.startswith("x_"):
            remedy = f"a callback knows {', '.join(CALLBACK_FIELDS)}, and names that begin with x_"
            raise Refused(f"{name}.{field[:80]}", "is not a field of a callback", remedy)
    return asked if fields.get("payload") is not None else json.dumps({**fields, "payload": {}}).encode()


def _name(name: str, raw: bytes) -> str:
    value = strict_json.parse(raw, name)
    if not isinstance(value, str):
        raise Refused(name, f"must be a string, got {kind(value)}")
    return query.text(name, value)


def _tags(name: str, raw: bytes) -> tuple[str, ...]:
    found: tuple[str, ...] = READERS["tags"](name, strict_json.parse(raw, name))
    return found


def _flag(name: str, raw: bytes) -> bool:
    value = strict_json.parse(raw, name)
    if not isinstance(value, bool):
        raise Refused(name, f"must be true or false, got {kind(value)}")
    return value


_READERS: Final[Mapping[str, FieldReader]] = {
    "id": id_of,
    "name": _name,
    "tags": _tags,
    "jobs": bytes_of,
    "open": _flag,
    "on_complete": bytes_of,
    "on_failure": bytes_of,
}
