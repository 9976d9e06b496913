"""Read what a pause or a resume may say: who and why.  There may be no body at all; a typo is refused."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.entrance.query import MAX_TEXT
from wire import strict_json
from wire.errors import Refused
from wire.fields import kind

MAX_NOTE: Final = 1_000
LONGEST: Final[Mapping[str, int]] = {"by": MAX_TEXT, "note": MAX_NOTE}
SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "by": {
            "type": ["string", "null"], "minLength": 1, "maxLength": MAX_TEXT,
            "description": "Who asks; the API key's fingerprint, or `local`, where nobody says",
        },
        "note": {"type": ["string", "null"], "minLength": 1, "maxLength": MAX_NOTE, "description": "Why"},
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """Who and why."""

    by: str
    note: str | None


def read(body: bytes, caller: str) -> Said:
    """What is said, or Refused."""
    fields = strict_json.parse(body) if body else {}
    if not isinstance(fields, dict):
        raise Refused("body", f"must be a JSON object, got {kind(fields)}", 'send {"note": "why"} or nothing')
    return said_in(fields, caller)


def said_in(fields: Mapping[str, Any], caller: str) -> Said:
    """The same of fields that stand among others."""
    said = {name: _text(name, value) for name, value in fields.items()}
    return Said(said.get("by") or caller, said.get("note"))


def _text(name: str, value: object) -> str | None:
    if name not in LONGEST:
        near = difflib.get_close_matches(name, LONGEST, n=1)
        guess = f"{near[0]}? " if near else ""
        raise Refused(name[:80], "is not a field of a pause", f"{guess}it knows {', '.join(LONGEST)}")
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refused(name, f"must be a string, got {kind(value)}", "put it in quotes")
    if not 0 < len(value) <= LONGEST[name]:
        raise Refused(name, f"has {len(value)} characters", f"use 1 to {LONGEST[name]}")
    return value
