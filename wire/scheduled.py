"""What a job knows of the schedule that made it: written into its envelope by the clock, read by whoever has the job.

It travels in a field that begins with `x_`, so every door carries it, and a job that was submitted by hand has none.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

FIELD: Final = "x_schedule"


class Scheduled(msgspec.Struct, frozen=True):
    """The schedule, the due time that this job is for, and those that follow as they stood then."""

    id: UUID
    due_at: datetime
    name: str = ""
    following: tuple[datetime, ...] = ()


class _Carrier(msgspec.Struct):
    x_schedule: Scheduled | None = None


def scheduled(body: bytes) -> Scheduled | None:
    """Of a body that was accepted before; None if no schedule made it, or a stranger wrote something else there."""
    if _MARK not in body:  # by far the most: a scan and no parsing
        return None
    try:
        return _carrier(body).x_schedule
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


_MARK: Final = b'"x_schedule"'
_carrier = msgspec.json.Decoder(_Carrier).decode
