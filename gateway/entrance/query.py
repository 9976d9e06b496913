"""Read query parameters as strictly as a body: an unknown or a repeated one is refused, all faults at once.

A typo in a filter must not silently list everything.  Each parameter has one reader here; the texts go on to Postgres,
so what it cannot store is stopped here.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from gateway.entrance import cursor
from gateway.entrance.problems import Fault, Refusal
from wire.errors import Refused
from wire.fields import READERS, check_type
from wire.states import FILTERS

LONGEST_WAIT_SECONDS: Final = 60.0
MOST_ITEMS: Final = 500
MAX_TEXT: Final = 128
MOST_DIGITS: Final = 18  # what Postgres numbers rows with has 19
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}

Reader = Callable[[str, str], Any]


def read(request: web.Request, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The value of each parameter that was sent, or Refusal with all faults."""
    if not request.query_string:
        return {}
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name in dict.fromkeys(request.query):
        try:
            values[name] = _read_one(request, name, readers)
        except Refused as e:
            faults.append(Fault(e.field, f"{e.field} {e.problem}", e.remedy or None))
    if faults:
        first, many = faults[0], faults if len(faults) > 1 else []
        raise Refusal("malformed", first.detail, field=first.field, remedy=first.remedy, faults=many)
    return values


def job_id(request: web.Request) -> UUID:
    """The id in the path, or Refused."""
    value: UUID = READERS["id"]("id", request.match_info["id"])
    return value


def session(request: web.Request) -> UUID:
    """The session in the path, or Refused."""
    return uuid("session", request.match_info["session"])


def number(request: web.Request) -> int:
    """The number in the path, or Refused."""
    value = request.match_info["id"]
    if not (value.isascii() and value.isdecimal() and len(value) <= MOST_DIGITS):
        raise Refused("id", f"{value[:60]!r} is not a number", "take it from the list")
    return int(value)


def state(name: str, value: str) -> str:
    if value not in FILTERS:
        raise Refused(name, f"{value[:60]!r} is not a state", f"use one of {', '.join(FILTERS)}")
    return value


def job_type(_: str, value: str) -> str:
    return check_type(value)


def text(name: str, value: str) -> str:
    if not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise Refused(name, f"{value[:60]!r} cannot be looked for", f"use 1 to {MAX_TEXT} printable characters")
    return value


def uuid(name: str, value: str) -> UUID:
    found: UUID = READERS["batch_id"](name, value)
    return found


def instant(name: str, value: str) -> datetime:
    found: datetime = READERS["run_at"](name, value.replace(" ", "+"))  # a + that was not escaped arrives as a space
    return found


def limit(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 9 and 1 <= int(value) <= MOST_ITEMS):
        raise Refused(name, f"{value[:60]!r} is not a number of items", f"use 1 to {MOST_ITEMS}")
    return int(value)


def attempt(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 9 and int(value) >= 1):
        raise Refused(name, f"{value[:60]!r} is not an attempt", "use its number, from 1 on")
    return int(value)


def place(name: str, value: str) -> cursor.Place:
    return cursor.parse(name, value)


def numbered_place(name: str, value: str) -> int:
    return cursor.parse_number(name, value)


def flag(name: str, value: str) -> bool:
    if value not in FLAGS:
        raise Refused(name, f"{value[:60]!r} is neither true nor false", "use true or false")
    return FLAGS[value]


def group(name: str, value: str) -> str:
    if value != "fingerprint":
        raise Refused(name, f"{value[:60]!r} is not something to group by", "use fingerprint")
    return value


def seconds(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= LONGEST_WAIT_SECONDS:  # NaN is not between two numbers either
        raise Refused(name, f"{value[:60]!r} is not a wait", f"use seconds from 0 to {LONGEST_WAIT_SECONDS:.0f}")
    return number


def _read_one(request: web.Request, name: str, readers: Mapping[str, Reader]) -> Any:
    if name not in readers:
        near = difflib.get_close_matches(name, readers, n=1)
        known = f"this route knows {', '.join(readers)}" if readers else "this route knows none"
        raise Refused(name[:80], "is not a parameter", f"{near[0]}? {known}" if near else known)
    given = request.query.getall(name)
    if len(given) > 1:
        raise Refused(name, "is sent more than once", "send it once")
    return readers[name](name, given[0])
