"""How many schedules stand where, and how far the clocks are behind: what the figures of the cluster tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from persistence.schedules.schedule import Standing
from persistence.store.database import Database

MOST_COUNTED: Final = 100_000  # of each state; more are told as so many, because a million would be counted for long


@dataclass(frozen=True, slots=True)
class Census:
    """At one moment of the database's clock."""

    schedules: Mapping[Standing, int]
    behind_seconds: float  # since the one that waits longest was to have its turn


_SCHEDULES: Final = """
SELECT asked.state,
       (SELECT count(*) FROM (SELECT FROM schedules s WHERE s.state = asked.state LIMIT $2) counted) AS schedules
  FROM unnest($1::text[]) AS asked(state)
"""
_BEHIND: Final = """
SELECT coalesce(greatest(0, extract(epoch FROM clock_timestamp() - min(next_fire_at))), 0)::float8 AS seconds
  FROM schedules WHERE next_fire_at IS NOT NULL
"""


async def census(database: Database) -> Census:
    rows = await database.read(_SCHEDULES, list(Standing), MOST_COUNTED)
    (behind,) = await database.read(_BEHIND)
    return Census({Standing(row["state"]): row["schedules"] for row in rows}, behind["seconds"])
