"""Read what is asked of schedules that are there: which of them, which past range, who pauses them and why.

As strict as any body: a typo in a filter must not pause everything.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.entrance import query
from gateway.entrance.query import MAX_TEXT
from gateway.pausing import pause_request
from gateway.schedules.fields import READERS as FIELDS
from persistence.schedules.pages import Filter
from persistence.schedules.schedule import Fate, Standing
from wire import strict_json
from wire.errors import Refused
from wire.fields import kind

MOST_SHOWN: Final = 1_000
MOST_APART: Final = timedelta(minutes=5)  # a clock that is not ours, and a client that is patient

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
_INSTANT: Final = {"type": "string", "format": "date-time"}
WHICH: Final[Mapping[str, Any]] = {
    "job_type": {**_TEXT, "description": "Of this job type"},
    "name": {**_TEXT, "description": "Of this name"},
    "tag": {**_TEXT, "description": "With this tag"},
}
MANY_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "Which schedules, and why; `{}` means all",
    "additionalProperties": False,
    "properties": {**WHICH, **pause_request.SCHEMA["properties"]},
}
TRIGGER_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "at": {
            **_INSTANT, "type": ["string", "null"],
            "description": "The instant at which you ask: with the same one, the same request may come twice",
        },
    },
}  # fmt: skip
BACKFILL_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "Which past due times are to run; those that have run, or were skipped, are left alone",
    "additionalProperties": False,
    "required": ["since", "until"],
    "properties": {
        "since": {**_INSTANT, "description": "The first instant of the range"},
        "until": {**_INSTANT, "description": "The last one; it has passed"},
        "dry_run": {"type": "boolean", "default": False, "description": "Only say how many runs it would make"},
    },
}


@dataclass(frozen=True, slots=True)
class Many:
    """Schedules by filter, and what is said about it."""

    which: Filter
    said: pause_request.Said


@dataclass(frozen=True, slots=True)
class Range:
    """A past range to run."""

    since: datetime
    until: datetime
    dry_run: bool = False


def many(body: bytes, caller: str) -> Many:
    """Which schedules to pause or resume, or Refused."""
    fields = _fields(body, MANY_SCHEMA["properties"], "of this request", "send {} for all schedules")
    which = {name: _WHICH[name](name, value) for name, value in fields.items() if name in _WHICH}
    said = {name: value for name, value in fields.items() if name not in _WHICH}
    return Many(Filter(**which), pause_request.said_in(said, caller))


def backfill(body: bytes, now: datetime) -> Range:
    """The range, or Refused."""
    fields = _fields(body, BACKFILL_SCHEMA["properties"], "of a backfill", "send since and until")
    for name in ("since", "until"):
        if fields.get(name) is None:
            raise Refused(name, "is missing", "a backfill has a first and a last instant: since and until")
    asked = Range(**{name: _RANGE[name](name, value) for name, value in fields.items() if value is not None})
    if asked.until > now:
        raise Refused("until", f"{asked.until.isoformat()} is not past", "what is to come is fired when it is due")
    if asked.since > asked.until:
        raise Refused("until", "is before since", "send the end of the range")
    return asked


def triggered_at(body: bytes, now: datetime) -> datetime | None:
    """The instant that a client names so that its request may come twice, or Refused."""
    said = _fields(body, TRIGGER_SCHEMA["properties"], "of a trigger", "send {} or nothing").get("at")
    if said is None:
        return None
    at = instant("at", said)
    if abs(at - now) > MOST_APART:
        raise Refused("at", f"{at.isoformat()} is not about now", "send the instant at which you ask")
    return at


def state(name: str, value: str) -> Standing:
    """A state to look for."""
    if value not in tuple(Standing):
        raise Refused(name, f"{value[:60]!r} is not a schedule's state", f"use one of {', '.join(Standing)}")
    return Standing(value)


def fate(name: str, value: str) -> Fate:
    """What became of the runs to look for."""
    if value not in tuple(Fate):
        raise Refused(name, f"{value[:60]!r} is not a run's fate", f"use one of {', '.join(Fate)}")
    return Fate(value)


def job_type(name: str, value: str) -> str:
    found: str = FIELDS["job_type"](name, value)
    return found


def number(name: str, value: str) -> int:
    """How many due times to show, as it stands in a query."""
    return shown(name, int(value) if value.isascii() and value.isdecimal() and len(value) <= 9 else value)


def shown(name: str, value: object) -> int:
    """How many due times to show."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_SHOWN:
        return value
    raise Refused(name, f"{str(value)[:60]!r} is not a number of due times", f"use 1 to {MOST_SHOWN}")


def instant(name: str, value: object) -> datetime:
    """An instant that stands in a body."""
    if not isinstance(value, str):
        raise Refused(name, f"must be a string, got {kind(value)}", "write ISO 8601, such as 2030-01-31T09:00:00Z")
    return query.instant(name, value)


def _fields(body: bytes, known: Iterable[str], whose: str, remedy: str) -> dict[str, Any]:
    fields = strict_json.parse(body) if body else {}
    if not isinstance(fields, dict):
        raise Refused("body", f"must be a JSON object, got {kind(fields)}", remedy)
    for name in fields:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f"{near[0]}? " if near else ""
            raise Refused(name[:80], f"is not a field {whose}", f"{guess}it knows {', '.join(known)}")
    return fields


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Refused(name, f"must be a string, got {kind(value)}")
    return query.text(name, value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(name, f"must be true or false, got {kind(value)}")
    return value


_WHICH: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "job_type": FIELDS["job_type"], "name": _text, "tag": _text,
}  # fmt: skip
_RANGE: Final[Mapping[str, Callable[[str, object], Any]]] = {"since": instant, "until": instant, "dry_run": _flag}
