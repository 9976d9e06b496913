"""When: everything that decides a schedule's instants, and nothing else; kept as JSON beside the schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Gap = Literal["shift", "skip"]
Overlap = Literal["first", "second", "both"]


class When(msgspec.Struct, frozen=True, omit_defaults=True):
    """Exactly one of `cron`, `interval_seconds` and `once_at` is set; all instants are aware and in UTC."""

    cron: tuple[str, ...] = ()
    interval_seconds: float | None = None
    once_at: datetime | None = None
    timezone: str = "UTC"
    starts_at: datetime | None = None  # the first instant that may be due
    ends_at: datetime | None = None  # the last one
    exclude: tuple[str, ...] = ()  # ISO dates in the zone, or cron expressions
    jitter_seconds: float = 0.0  # another delay for every due time
    spread_seconds: float = 0.0  # one delay for the whole schedule
    dst_gap: Gap = "shift"
    dst_overlap: Overlap = "first"
    anchor: datetime | None = None  # where an interval counts from, where nothing says when it starts
