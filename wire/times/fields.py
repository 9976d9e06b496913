"""How each field that says when is read: what it may hold, and the sentence that refuses the rest.

One function a field, one table of them; the table's order is the order in which faults are told.  Knows nothing of
how the fields go together; see spec.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from wire.errors import Refused
from wire.fields import LONGEST_WAIT, kind
from wire.times import cron, exclusions, zones

MOST_CRONS: Final = 16
MOST_EXCLUDING: Final = 32  # expressions; dates cost nothing
MOST_EXCLUSIONS: Final = 400  # every day of a year, and a few
SHORTEST_INTERVAL: Final = 1.0  # below it a queue's own latency is most of the interval
LONGEST_WINDOW: Final = 86_400.0
FIRST: Final = datetime(1970, 1, 2, tzinfo=UTC)
LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _crons(name: str, value: object) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not 0 < len(texts) <= MOST_CRONS:
        raise Refused(name, f"must be an expression or a list of 1 to {MOST_CRONS}, got {kind(value)}")
    return tuple(dict.fromkeys(cron.read(_text(name, text), name).text for text in texts))


def _interval(name: str, value: object) -> float:
    seconds = _seconds(name, value)
    longest = LONGEST_WAIT.total_seconds()
    if not SHORTEST_INTERVAL <= seconds <= longest:
        raise Refused(name, f"{seconds:g} is out of range", f"use {SHORTEST_INTERVAL:g} to {longest:.0f} seconds")
    return round(seconds, 6)


def _window(name: str, value: object) -> float:
    seconds = _seconds(name, value)
    if not 0 <= seconds <= LONGEST_WINDOW:
        raise Refused(name, f"{seconds:g} is out of range", f"use 0 to {LONGEST_WINDOW:.0f} seconds (a day)")
    return round(seconds, 6)


def _seconds(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 and math.isfinite(value):
        return float(value)
    raise Refused(name, f"{_short(value)} is not a number of seconds", "write a number, such as 90 or 0.5")


def _zone(name: str, value: object) -> str:
    return zones.check(_text(name, value))


def _instant(name: str, value: object) -> datetime:
    """ISO 8601 or seconds since 1970; one that names no offset is left naive, for the schedule's zone to place."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _within(name, _from_epoch(name, value))
    if isinstance(value, datetime):
        return _within(name, value)
    try:
        return _within(name, datetime.fromisoformat(_text(name, value).strip()))
    except ValueError:
        remedy = "write ISO 8601, such as 2030-01-31T09:00:00Z, or seconds since 1970"
        raise Refused(name, f"{_short(value)} is not a point in time", remedy) from None


def _from_epoch(name: str, value: float) -> datetime:
    if 1e11 < value < 1e13:
        raise Refused(name, f"{_short(value)} would be thousands of years ahead", "write seconds, not milliseconds")
    _seconds(name, value)
    if not FIRST.timestamp() <= value <= LAST.timestamp():
        raise _out_of_range(name, value)
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=value)


def _within(name: str, instant: datetime) -> datetime:
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if not FIRST <= aware <= LAST:
        raise _out_of_range(name, instant.isoformat())
    return aware.astimezone(UTC) if instant.tzinfo else instant


def _out_of_range(name: str, value: object) -> Refused:
    return Refused(name, f"{_short(value)} is out of range", f"use an instant from {FIRST.year} to {LAST.year - 1}")


def _exclusions(name: str, value: object) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or len(texts) > MOST_EXCLUSIONS:
        problem = f"must be a list of at most {MOST_EXCLUSIONS} dates or expressions, got {kind(value)}"
        raise Refused(name, problem)
    read = tuple(dict.fromkeys(exclusions.written(_text(name, text)) for text in texts))
    if sum(" " in text or "@" in text for text in read) > MOST_EXCLUDING:
        raise Refused(name, f"has more than {MOST_EXCLUDING} expressions", "write them as fewer, or as dates")
    return read


def _one_of(*words: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if value in words:
            return str(value)
        raise Refused(name, f"{_short(value)} is not one of its words", f"use {', '.join(words)}")

    return read


READERS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "cron_expression": _crons,
    "interval_seconds": _interval,
    "once_at": _instant,
    "timezone": _zone,
    "starts_at": _instant,
    "ends_at": _instant,
    "exclude": _exclusions,
    "jitter_seconds": _window,
    "spread_seconds": _window,
    "dst_gap": _one_of("shift", "skip"),
    "dst_overlap": _one_of("first", "second", "both"),
}


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise Refused(name, f"must be a string, got {kind(value)}")


def _short(value: object) -> str:
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 60 else text[:57] + "..."
