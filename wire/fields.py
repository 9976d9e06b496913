"""How each field of the envelope is read: what it may hold, and the sentence that refuses the rest.

One function a field, one table of them; the table's order is the order in which faults are told.  Knows nothing of
JSON text, of AMQP or of a type's defaults.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from wire import strict_json
from wire.errors import Refused
from wire.unique import read_unique

VERSION: Final = 1
MAX_TYPE: Final = 128  # 25 ladder bits, the marker and the priority must fit beside it into a routing key of 255
MAX_TAGS: Final = 32
MAX_TAG: Final = 128
MAX_KEY: Final = 256
MAX_RETRIES: Final = 1_000
LONGEST_TIMEOUT: Final = 7 * 24 * 3600.0  # seconds; below the consumer_timeout that our own broker is given
LONGEST_WAIT: Final = timedelta(days=3660)
PRIORITIES: Final = {"low": 2, "medium": 5, "high": 8}

_TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")


def check_type(name: str) -> str:
    """A job type's name, or Refused."""
    if not isinstance(name, str) or not _TYPE.fullmatch(name) or len(name) > MAX_TYPE:
        problem = f"{str(name)[:80]!r} is not a job type's name"
        raise Refused("type", problem, f"use lower-case words joined by dots, at most {MAX_TYPE} characters")
    if "job" in name.split("."):
        raise Refused("type", "has the label 'job', which marks routing keys", "use another word")
    return name


def _version(name: str, value: object) -> int:
    if value != VERSION or isinstance(value, bool):
        raise Refused(name, f"{_short(value)} is not understood", f"this Warren understands version {VERSION}")
    return VERSION


def _uuid(name: str, value: object) -> UUID:
    try:
        if isinstance(value, str) and str(identity := UUID(value)) == value.lower():  # UUID() takes other spellings too
            return identity
    except ValueError:
        pass
    raise Refused(name, f"{_short(value)} is not a UUID", "write it as 8-4-4-4-12 hexadecimal digits")


def _type(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Refused(name, f"must be a string, got {kind(value)}")
    return check_type(value)


def _payload(name: str, value: object) -> dict[str, Any]:
    if isinstance(value, str):
        value = strict_json.parse(value.encode("utf-8", "surrogatepass"), name, around=1)
    if not isinstance(value, dict):
        raise Refused(name, f"must be a JSON object, got {kind(value)}")
    return value


def _priority(name: str, value: object) -> int:
    if isinstance(value, str) and value in PRIORITIES:
        return PRIORITIES[value]
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10:
        return value
    raise Refused(name, f"{_short(value)} is not a priority", "use 1 (lowest) to 10 (highest), or low, medium, high")


def _retries(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_RETRIES:
        return value
    raise Refused(name, f"{_short(value)} is not a number of retries", f"use a whole number from 0 to {MAX_RETRIES}")


def _timeout(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_TIMEOUT:
        return float(value)
    remedy = f"use seconds above 0 and up to {LONGEST_TIMEOUT:.0f} (a week)"
    raise Refused(name, f"{_short(value)} is not a time limit", remedy)


def _delay(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_WAIT.total_seconds():
        return float(value)
    raise Refused(name, f"{_short(value)} is not a delay", "use seconds, 0 or more")


def _instant(name: str, value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise Refused(name, f"{_short(value)} is not a point in time", "write ISO 8601, such as 2030-01-31T09:00:00Z")
    if instant.tzinfo is None:
        raise Refused(name, f"{_short(value)} names no time zone", "end it with Z or an offset such as +02:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise Refused(name, f"{_short(value)} is out of range") from None


def _tags(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        raise Refused(name, f"must be a list of at most {MAX_TAGS} strings, got {kind(value)}")
    for tag in value:
        if not isinstance(tag, str) or not 0 < len(tag) <= MAX_TAG:
            raise Refused(name, f"{_short(tag)} is not a tag", f"use strings of 1 to {MAX_TAG} characters")
    return tuple(dict.fromkeys(value))


def _key(name: str, value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= MAX_KEY:
        return value
    raise Refused(name, f"{_short(value)} is not a key", f"use a string of 1 to {MAX_KEY} characters")


READERS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "v": _version,
    "id": _uuid,
    "type": _type,
    "payload": _payload,
    "priority": _priority,
    "max_retries": _retries,
    "timeout_seconds": _timeout,
    "run_at": _instant,
    "delay": _delay,
    "expires_at": _instant,
    "tags": _tags,
    "batch_id": _uuid,
    "idempotency_key": _key,
    "unique": read_unique,
}


def kind(value: object) -> str:
    """What a value is, in words for a person."""
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
