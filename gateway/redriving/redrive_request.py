"""Read what POST /api/v1/dead-letters/redrive takes, as strictly as any body: a typo must not redrive everything."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.entrance import query
from persistence.letters.letters import Filter
from wire import strict_json
from wire.errors import Refused
from wire.fields import kind

DEFAULT_RATE: Final = 50.0  # letters a second: ten thousand in three minutes, and no flood for the workers
MOST_RATE: Final = 1_000.0
LEAST_RATE: Final = 0.01

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": query.MAX_TEXT}
SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "Which letters; `{}` means all that have not been redriven",
    "additionalProperties": False,
    "properties": {
        "type": _TEXT,
        "reason": _TEXT,
        "fingerprint": _TEXT,
        "since": {"type": "string", "format": "date-time", "description": "Kept at this time or later"},
        "dry_run": {"type": "boolean", "default": False, "description": "Only say what would become of them"},
        "rate": {
            "type": "number", "minimum": LEAST_RATE, "maximum": MOST_RATE, "default": DEFAULT_RATE,
            "description": "Letters a second, at most",
        },
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters, how fast, and whether in earnest."""

    filter: Filter
    rate: float
    dry_run: bool


def read(body: bytes) -> Wanted:
    """What is asked for, or Refused."""
    fields = strict_json.parse(body)
    if not isinstance(fields, dict):
        raise Refused("body", f"must be a JSON object, got {kind(fields)}", "send {} for all letters")
    said = {name: _read_one(name, value) for name, value in fields.items()}  # null is no word for "all of them"
    rate, dry_run = said.pop("rate", DEFAULT_RATE), said.pop("dry_run", False)
    return Wanted(Filter(**said, redriven=False), rate, dry_run)


def _read_one(name: str, value: object) -> Any:
    if name not in READERS:
        near = difflib.get_close_matches(name, READERS, n=1)
        guess = f"{near[0]}? " if near else ""
        raise Refused(name[:80], "is not a field of a redrive", f"{guess}it knows {', '.join(READERS)}")
    return READERS[name](name, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Refused(name, f"must be a string, got {kind(value)}")
    return query.text(name, value)


def _since(name: str, value: object) -> Any:
    return query.instant(name, value) if isinstance(value, str) else _text(name, value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(name, f"must be true or false, got {kind(value)}")
    return value


def _rate(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and LEAST_RATE <= value <= MOST_RATE:
        return float(value)
    raise Refused(name, "is not a rate", f"use letters a second, from {LEAST_RATE:g} to {MOST_RATE:g}")


READERS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "type": _text,
    "reason": _text,
    "fingerprint": _text,
    "since": _since,
    "dry_run": _flag,
    "rate": _rate,
}
