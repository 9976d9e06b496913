"""When one job stands for another: what a sender says in `unique`, and the key that equal work has.

Two jobs are the same work if they are of one type and agree in what `by` names.  The key is a digest of that, made of
the values and not of their spelling.  Whether somebody holds the key is asked where the rows are; see
persistence/accepting/unique.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wire.errors import Refused
from wire.identity import HASH_BYTES
from wire.states import State

OPEN: Final = (State.SCHEDULED, State.QUEUED, State.RUNNING, State.RETRYING)
MOST_PATHS: Final = 16
MOST_PATH: Final = 256
LONGEST_SECONDS: Final = 366 * 86_400.0
FIELDS: Final = ("by", "within_seconds", "states")

_PATH = re.compile(r"payload(\.[^.]+)*")


@dataclass(frozen=True, slots=True)
class Unique:
    """Which earlier job stands for a new one: in these states, and not older than this."""

    by: tuple[str, ...] = ("payload",)
    within_seconds: float | None = None
    states: tuple[State, ...] = OPEN

    def key(self, job_type: str, payload: Mapping[str, Any]) -> bytes:
        """What equal work has in common, or Refused where a path leads nowhere: a typo would make all jobs equal."""
        work = [job_type, *([path, _value(payload, path)] for path in self.by)]
        text = json.dumps(work, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()[:HASH_BYTES]

    def said(self) -> dict[str, object]:
        """As it stands in an envelope."""
        window = {} if self.within_seconds is None else {"within_seconds": self.within_seconds}
        return {"by": list(self.by), **window, "states": [state.value for state in self.states]}


@dataclass(frozen=True, slots=True)
class Contest:
    """A job that asks whether another one stands for it."""

    key: bytes
    said: Unique


def read_unique(name: str, value: object) -> Unique | None:
    """What the field holds: an object, or true for all that is usual."""
    if value is False:
        return None
    if value is True:
        return Unique()
    if not isinstance(value, Mapping):
        raise Refused(name, "is neither an object nor true", f"use an object with {', '.join(FIELDS)}")
    unknown = [key for key in value if key not in FIELDS]
    if unknown:
        raise Refused(f"{name}.{str(unknown[0])[:80]}", "is not known", f"known: {', '.join(FIELDS)}")
    given = {key: said for key, said in value.items() if said is not None}
    read: dict[str, Any] = {key: _READERS[key](f"{name}.{key}", said) for key, said in given.items()}
    return Unique(**read)


def _by(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_PATHS:
        raise Refused(name, "is not a list of paths", f"name 1 to {MOST_PATHS}, such as payload.url")
    for path in value:
        if not isinstance(path, str) or len(path) > MOST_PATH or not _PATH.fullmatch(path):
            remedy = "write payload, or payload.<field> with a dot before each field inside another"
            raise Refused(name, f"{str(path)[:60]!r} is not a path into the payload", remedy)
    return tuple(sorted(set(value)))


def _within(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_SECONDS:
        return float(value)
    raise Refused(name, f"{str(value)[:60]} is not a window", f"use seconds above 0 and up to {LONGEST_SECONDS:.0f}")


def _states(name: str, value: object) -> tuple[State, ...]:
    known = [state.value for state in State]
    if not isinstance(value, list | tuple) or not value or not all(state in known for state in value):
        raise Refused(name, "is not a list of states", f"use some of {', '.join(known)}")
    return tuple(state for state in State if state in value)


_READERS: Final = {"by": _by, "within_seconds": _within, "states": _states}


def _value(payload: Mapping[str, Any], path: str) -> object:
    found: Any = payload
    for step in path.split(".")[1:]:
        if not isinstance(found, Mapping) or step not in found:
            raise Refused("unique.by", f"{path} is not in the payload", "name a field that every such job has")
        found = found[step]
    return found
