"""What is due, or soon will be: read page by page by a clock, of the segments that it holds.

By the database's clock, like all that is decided of it.  The walk is over the index of what fires, from its old end or
from where the last page ended; what is another clock's is passed over, in a form that Postgres does not make one walk a
segment of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from persistence.declared.job_types import JobType
from persistence.schedules.job import TYPE, type_of
from persistence.schedules.schedule import COLUMNS, Schedule, schedule_of


class Place(NamedTuple):
    """How far a walk has come."""

    fires_at: datetime
    schedule_id: UUID


BEGINNING: Final = Place(datetime.min.replace(tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule whose next due time fires by now, and the type of its job; None if nobody has registered it."""

    schedule: Schedule
    job_type: JobType | None


_DUE = f"""
SELECT {COLUMNS}, {TYPE}
  FROM (SELECT * FROM schedules
         WHERE next_fire_at <= (SELECT clock_timestamp() + make_interval(secs => $2))
           AND (next_fire_at, id) > ($4, $5)
           AND (segment = ANY($1::int2[])) IS TRUE
         ORDER BY next_fire_at, id LIMIT $3) s
  LEFT JOIN job_types t ON t.name = s.job_type
 ORDER BY s.next_fire_at, s.id
"""  # noqa: S608 - made of two constants


async def load(
    connection: asyncpg.Connection,
    segments: Sequence[int],
    limit: int,
    ahead_seconds: float = 0.0,
    after: Place = BEGINNING,
) -> list[Due]:
    """At most so many that fire by now, or so much later, behind a place; the earliest first."""
    rows = await connection.fetch(_DUE, list(segments), ahead_seconds, limit, *after)
    return [Due(schedule_of(row), type_of(row)) for row in rows]
