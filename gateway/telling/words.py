"""Times, ages and numbers as people say them.  Pure; every time is UTC, because that is what the logs have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

LONGEST: Final = 200  # characters of what an error says
_SPANS: Final = (("day", 86_400, 2), ("h", 3_600, 2), ("min", 60, 2))


def clock(now: datetime, at: datetime) -> str:
    """A moment: the time of day, with its date unless that is today's."""
    now, at = now.astimezone(UTC), at.astimezone(UTC)
    return f"{at:%H:%M:%S} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def ago(now: datetime, at: datetime) -> str:
    """How long ago it was."""
    return f"{span(now - at)} ago"


def span(length: timedelta) -> str:
    """A length in the largest unit of which there are two, or in seconds: 90 min, 3 h, 12 s."""
    seconds = max(0.0, length.total_seconds())
    for unit, size, least in _SPANS:
        if seconds >= least * size:
            number = int(seconds // size)
            return several(number, unit) if unit == "day" else f"{number} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def several(number: int, one: str, many: str = "") -> str:
    """1 job, 1,240 jobs."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def fault(kind: str | None, message: str | None) -> str:
    """What an error says, in one line; its type where it says nothing."""
    words = " ".join((message or "").split()) or kind or "nothing was said"
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
