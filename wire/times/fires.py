"""The due times of a schedule, and how long after each of them its job is sent.

A due time is the key of a run, so two processes must find the very same microsecond: cron's are whole seconds from
APScheduler's triggers; an interval is counted here, in whole microseconds, because APScheduler's IntervalTrigger goes
through floating point; a single time is itself.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from wire.times import exclusions
from wire.times.timetable import timetable
from wire.times.when import When

MOST_EXCLUDED: Final = 800  # in a row, of which a whole day counts as one; after that, nothing is left
MOST_YEARS: Final = 40  # ... nor when so many have passed: a 29th of February that is a Monday comes every 28
_TICK: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def next_due(when: When, after: datetime) -> datetime | None:
    """The first due time strictly after an instant, or None where there is none; `max_runs` is not known here."""
    if when.starts_at is not None and when.starts_at > after:
        after = when.starts_at - _TICK
    since = after
    for _ in range(MOST_EXCLUDED):
        due = _named(when, after)
        if due is None or (when.ends_at is not None and due > when.ends_at):
            return None
        free_from = exclusions.free_from(when, due) if when.exclude else None
        if free_from is None:
            return due
        if due.year - since.year > MOST_YEARS:
            return None
        after = max(due, free_from - _TICK)
    return None


def dues(when: When, after: datetime, until: datetime, most: int) -> list[datetime]:
    """The due times after one instant up to another, `most` of them at most."""
    found: list[datetime] = []
    while len(found) < most and (due := next_due(when, after)) is not None and due <= until:
        found.append(due)
        after = due
    return found


def offset(when: When, schedule_id: UUID, due: datetime) -> timedelta:
    """How long after its due time a run's job is sent: the same answer whoever asks, however often."""
    spread = _part(when.spread_seconds, schedule_id.bytes) if when.spread_seconds else 0
    jitter = _part(when.jitter_seconds, schedule_id.bytes + _micros(due).to_bytes(8)) if when.jitter_seconds else 0
    return timedelta(microseconds=spread + jitter)


def _named(when: When, after: datetime) -> datetime | None:
    """What is due next, were nothing excluded."""
    if when.cron:
        return timetable(when.cron, when.timezone, when.dst_gap, when.dst_overlap).after(after)
    if when.interval_seconds is not None:
        return _counted(when, when.interval_seconds, after)
    return when.once_at if when.once_at is not None and when.once_at > after else None


def _counted(when: When, seconds: float, after: datetime) -> datetime | None:
    step, anchor = round(seconds * 1_000_000), when.starts_at or when.anchor or _EPOCH
    passed = max(-1, (_micros(after) - _micros(anchor)) // step)
    try:
        return anchor + timedelta(microseconds=(passed + 1) * step)
    except OverflowError:
        return None


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _TICK


def _part(seconds: float, key: bytes) -> int:
    """A part of a window in microseconds, chosen by a hash: from nothing up to, but without, the whole."""
    share = int.from_bytes(hashlib.sha256(key).digest()[:8])
    return share * round(seconds * 1_000_000) >> 64
