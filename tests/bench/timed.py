"""Schedules by the thousand, written in bulk, for what measures the clock.

Their rows are as the gateway makes them; only the way in is shorter.  Each is due for the first time at a moment of its
own, which its spec names too, so that the next due times follow from it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.journey.api import sql
from tests.journey.stack import Stack

TYPE: Final = "noop"

# $1 how many, $2 the first due time, $3 seconds from one schedule's to the next one's, $4 the rest of their specs
_MAKE: Final = """
WITH made AS (
  SELECT gen_random_uuid() AS id, n, $2::timestamptz + n * make_interval(secs => $3) AS due
    FROM generate_series(0, $1::int - 1) n
)
INSERT INTO schedules (id, name, job_type, payload, spec, overlap, catch_up, catch_up_window_seconds, state, tags,
                       segment, next_due, next_fire_at)
SELECT id, 'measured ' || n, $5, '{}',
       replace($4, 'DUE', to_char(due AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::json,
       'allow', 'latest', 86400, 'active', CASE WHEN n % 10 = 0 THEN ARRAY['tenth'] END,
       get_byte(sha256(uuid_send(id)), 0) % 128, due, due
  FROM made
"""
_TOLD: Final = "SELECT pg_notify('warren_schedules', '')"


def every(stack: Stack, seconds: float, schedules: int, *, apart: float, ahead: float = 2.0) -> datetime:
    """Schedules of an interval, due one after another so many seconds apart; the first due time of all."""
    return _make(stack, schedules, apart, f'{{"interval_seconds":{seconds},"starts_at":"DUE"}}', ahead)


def once(stack: Stack, schedules: int, *, ahead: float) -> datetime:
    """Schedules that are due once, all in the same instant."""
    return _make(stack, schedules, 0.0, '{"once_at":"DUE"}', ahead)


def seldom(stack: Stack, schedules: int) -> datetime:
    """Schedules that are due some time within the next year and not today."""
    year = timedelta(days=365)
    spec = '{"cron":["30 9 * * mon"],"timezone":"Europe/Berlin"}'
    return _make(stack, schedules, year.total_seconds() / schedules, spec, timedelta(days=2).total_seconds())


def _make(stack: Stack, schedules: int, apart: float, spec: str, ahead: float) -> datetime:
    first = datetime.fromtimestamp(time.time() + ahead, UTC).replace(microsecond=0) + timedelta(seconds=1)
    asyncio.run(sql(stack.database_url, _MAKE, schedules, first, apart, spec, TYPE))
    asyncio.run(sql(stack.database_url, _TOLD))
    return first
