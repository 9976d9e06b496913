"""Take a large body apart: its fields by name, each as the bytes that were sent.

The thousands of jobs or articles in it are read later, one by one and in turns, so a fast reader skips over their
bytes, and what it lets pass (a field that is sent twice) is looked for beside it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from wire import strict_json
from wire.errors import Refused
from wire.fields import READERS

FieldReader = Callable[[str, bytes], Any]


def values_of(body: bytes, readers: Mapping[str, FieldReader], what: str, remedy: str) -> dict[str, Any]:
    """What is said of `what`, each field by its reader; one that is null is not said."""
    fields = _fields(body, remedy)
    for name in fields:
        if name not in readers:
            near = difflib.get_close_matches(name, readers, n=1)
            known = f"this route knows {', '.join(readers)}"
            raise Refused(name[:80], f"is not a field of {what}", f"{near[0]}? {known}" if near else known)
    return {name: readers[name](name, raw) for name, raw in fields.items() if raw.strip() != b"null"}


def within(place: str, refused: Refused) -> Refused:
    """The same refusal of something that stands there."""
    field = place if refused.field == "body" else f"{place}.{refused.field}"
    return Refused(field, refused.problem, refused.remedy, code=refused.code)


def id_of(name: str, raw: bytes) -> UUID:
    found: UUID = READERS["id"](name, strict_json.parse(raw, name))
    return found


def bytes_of(_: str, raw: bytes) -> bytes:
    return raw


def _fields(body: bytes, remedy: str) -> dict[str, bytes]:
    try:
        raws = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        raise Refused("body", "must be a JSON object", remedy) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise Refused("body", f"is not JSON: {e}") from None
    except RecursionError:
        raise Refused("body", "is nested too deeply", "flatten it") from None
    fields = {name: bytes(raw) for name, raw in raws.items()}
    _refuse_repeated(body, fields)
    return fields


def _refuse_repeated(body: bytes, fields: Mapping[str, bytes]) -> None:
    """Walk over the fields, each with the value that was read of it; one that is sent twice does not fit."""
    at, seen = _after_space(body, body.index(b"{") + 1), set[str]()
    while body[at : at + 1] != b"}":
        end = _end_of_name(body, at)
        name = msgspec.json.decode(body[at:end], type=str)
        at = _after_space(body, _after_space(body, end) + 1)  # over the colon
        if name in seen or not body.startswith(fields[name], at):
            raise Refused(name[:80], "is sent more than once", "send it once")
        seen.add(name)
        at = _after_space(body, at + len(fields[name]))
        if body[at : at + 1] == b",":
            at = _after_space(body, at + 1)
        elif body[at : at + 1] != b"}":  # it only began like the value that was read
            raise Refused(name[:80], "is sent more than once", "send it once")


def _end_of_name(body: bytes, at: int) -> int:
    end = at + 1
    while body[end : end + 1] != b'"':
        end += 2 if body[end : end + 1] == b"\\" else 1
    return end + 1


def _after_space(body: bytes, at: int) -> int:
    while body[at : at + 1] in (b" ", b"\t", b"\r", b"\n"):
        at += 1
    return at
