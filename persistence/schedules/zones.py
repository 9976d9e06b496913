"""Which edition of the time zones the stored due times were computed with, and the way to correct those of older ones.

The edition is kept for each segment, because a segment has one clock at a time; it is only ever raised, so that an old
clock beside new ones (an upgrade, one process after the other) gives nobody the same work again.

A schedule is moved only while it stands as it was read, and only from the future to the future: what is due by now is
the clock's, and what has been fired stays fired.  Its version stays: nobody has edited it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from persistence.schedules.schedule import NEWS, Next

FIRST: Final = UUID(int=0)
_PIN: Final = "'tzdata of segment ' || segment"

_EDITIONS: Final = f"""
SELECT segment, value FROM unnest($1::int2[]) AS segment JOIN pins ON pins.name = {_PIN}
"""  # noqa: S608 - made of a constant

_REMEMBER: Final = f"""
INSERT INTO pins (name, value) SELECT {_PIN}, $2 FROM unnest($1::int2[]) AS segment ORDER BY 1
    ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE pins.value < excluded.value COLLATE "C"
"""  # noqa: S608 - made of a constant

# All schedules are walked, by their ids, and not by what is due: that moves while it is walked.
_PLACED = """
SELECT s.id, s.version, s.next_due, spec::text AS spec, clock_timestamp() AS now, run.due_at AS last_run
  FROM (SELECT id, version, next_due, CASE
               WHEN segment = ANY($1::int2[]) AND next_due > (SELECT clock_timestamp())
                AND spec->>'timezone' <> 'UTC' THEN spec END AS spec
          FROM schedules WHERE id > $2 ORDER BY id LIMIT $3) s
  LEFT JOIN LATERAL (
       SELECT due_at FROM schedule_runs WHERE s.spec IS NOT NULL AND schedule_id = s.id AND kind IN ('due', 'caught_up')
        ORDER BY schedule_id DESC, due_at DESC LIMIT 1) run ON true
 ORDER BY s.id
"""

_MOVE: Final = f"""
WITH locked AS MATERIALIZED (
  SELECT a.* FROM (SELECT * FROM unnest((SELECT $1::uuid[]), $2::int[], $3::timestamptz[], $4::timestamptz[],
                                        $5::timestamptz[])
                            AS a(id, version, expected, next_due, next_fire_at) ORDER BY id) a
   CROSS JOIN LATERAL (
     SELECT FROM schedules
      WHERE id = a.id AND version = a.version AND next_due = a.expected AND state = 'active'
        AND least(next_due, a.next_due) > (SELECT clock_timestamp())
        FOR UPDATE OFFSET 0) found
), moved AS (
  UPDATE schedules s SET next_due = l.next_due, next_fire_at = l.next_fire_at FROM locked l WHERE s.id = l.id
  RETURNING s.id
)
SELECT id, {NEWS} FROM moved
"""  # noqa: S608 - made of a constant


@dataclass(frozen=True, slots=True)
class Placed:
    """A schedule that is due in the future, in a zone that may have changed."""

    id: UUID
    version: int
    due_at: datetime
    spec: str
    after: datetime  # what it may be due after: it is now, and this has not been run


class Page(NamedTuple):
    """Some of the walk, and where it goes on; None at the end."""

    placed: list[Placed]
    after: UUID | None


async def editions(connection: asyncpg.Connection, segments: Collection[int]) -> dict[int, str]:
    """The edition of each of these segments that has one."""
    return {row["segment"]: row["value"] for row in await connection.fetch(_EDITIONS, sorted(segments))}


async def remember(connection: asyncpg.Connection, segments: Collection[int], edition: str) -> None:
    """All due times of these segments have been computed with this edition, or a newer one."""
    await connection.execute(_REMEMBER, sorted(segments), edition)


async def page(connection: asyncpg.Connection, segments: Collection[int], after: UUID, limit: int) -> Page:
    """Look at the next so many schedules; those of these segments that are due by the clocks of a place."""
    rows = await connection.fetch(_PLACED, sorted(segments), after, limit)
    placed = [
        Placed(row["id"], row["version"], row["next_due"], row["spec"], max(row["now"], row["last_run"] or row["now"]))
        for row in rows
        if row["spec"] is not None
    ]
    return Page(placed, rows[-1]["id"] if len(rows) == limit else None)


async def move(connection: asyncpg.Connection, moves: Sequence[tuple[Placed, Next]]) -> int:
    """Move these to where they are due now; says how many stood as they were read."""
    rows = await connection.fetch(
        _MOVE,
        [one.id for one, _ in moves],
        [one.version for one, _ in moves],
        [one.due_at for one, _ in moves],
        [coming.due_at for _, coming in moves],
        [coming.fires_at for _, coming in moves],
    )
    return len(rows)
