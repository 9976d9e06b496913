"""What each field of a schedule may hold, but for those that say when: those are wire/times/spec.py's.

One function a field, one table of them; the readers of a job's own fields are the same as in every other door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from gateway.entrance.query import MAX_TEXT
from persistence.schedules.schedule import CatchUp, Overlap
from wire.errors import Refused
from wire.fields import READERS as OF_A_JOB
from wire.fields import check_type, kind
from wire.times.spec import FIELDS as WHEN

MAX_DESCRIPTION: Final = 2_000
LONGEST_WINDOW: Final = 366 * 86_400.0  # seconds
MOST_RUNS: Final = 2**31 - 1
MOST_FAILURES: Final = 1_000

Word = TypeVar("Word", bound=StrEnum)


def _name(name: str, value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable():
        return value
    raise Refused(name, "is not a name", f"use 1 to {MAX_TEXT} printable characters")


def _description(name: str, value: object) -> str:
    if isinstance(value, str) and len(value) <= MAX_DESCRIPTION:
        return value
    raise Refused(name, "is not a description", f"use a string of at most {MAX_DESCRIPTION} characters")


def _type(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Refused(name, f"must be a string, got {kind(value)}")
    try:
        return check_type(value)
    except Refused as e:
        raise Refused(name, e.problem, e.remedy) from None


def _one_of(words: type[Word]) -> Callable[[str, object], Word]:
    def read(name: str, value: object) -> Word:
        if isinstance(value, str) and value in tuple(words):
            return words(value)
        raise Refused(name, f"{str(value)[:60]!r} is not understood", f"use one of {', '.join(words)}")

    return read


def _number(least: int, most: int) -> Callable[[str, object], int]:
    def read(name: str, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise Refused(name, f"{str(value)[:60]!r} is out of range", f"use a whole number from {least} to {most}")

    return read


def _window(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_WINDOW:
        return float(value)
    raise Refused(name, f"{str(value)[:60]!r} is not a window", f"use seconds above 0, up to {LONGEST_WINDOW:.0f}")


READERS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "id": OF_A_JOB["id"],
    "name": _name,
    "description": _description,
    "job_type": _type,
    "payload": OF_A_JOB["payload"],
    "priority": OF_A_JOB["priority"],
    "max_retries": OF_A_JOB["max_retries"],
    "timeout_seconds": OF_A_JOB["timeout_seconds"],
    "tags": OF_A_JOB["tags"],
    "max_runs": _number(1, MOST_RUNS),
    "overlap": _one_of(Overlap),
    "catch_up": _one_of(CatchUp),
    "catch_up_window_seconds": _window,
    "pause_after_failures": _number(1, MOST_FAILURES),
}
ALL: Final = (*READERS, *WHEN)
REQUIRED: Final = ("name", "job_type")
KINDS: Final = ("cron_expression", "interval_seconds", "once_at")  # of them one says when
