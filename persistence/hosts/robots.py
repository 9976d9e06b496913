"""What a host's robots.txt said, for all processes: read once, believed for a while, parsed by whoever needs it."""

from __future__ import annotations

from dataclasses import dataclass

from persistence.store.database import Database


@dataclass(frozen=True, slots=True)
class Robots:
    """As it was read."""

    text: str
    fault: str | None  # why it could not be read
    seconds_left: float  # that it is believed


_READ = """
SELECT robots, robots_fault, extract(epoch FROM robots_until - clock_timestamp())::float8 AS seconds_left
  FROM hosts WHERE host = $1 AND robots_until > clock_timestamp()
"""

_KEEP = """
INSERT INTO hosts AS h (host, delay_seconds, concurrency, next_at, robots, robots_fault, robots_until)
VALUES ($1, 0, 1, clock_timestamp(), $2, $3, clock_timestamp() + make_interval(secs => $4))
    ON CONFLICT (host) DO UPDATE
   SET robots = excluded.robots, robots_fault = excluded.robots_fault, robots_until = excluded.robots_until
"""


async def read(database: Database, host: str) -> Robots | None:
    """What is known of this host's, if that is still believed."""
    row = await database.fetch_one(_READ, host)
    return None if row is None else Robots(row["robots"] or "", row["robots_fault"], row["seconds_left"])


async def keep(database: Database, host: str, robots: Robots) -> None:
    """Replace what is known."""
    text = robots.text.replace("\x00", "")
    await database.fetch(_KEEP, host, text, robots.fault, robots.seconds_left)
