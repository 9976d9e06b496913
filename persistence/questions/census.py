"""What stands in Postgres that no count of jobs tells: the outbox, and Postgres' own figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from persistence.store.database import Database

LOCK: Final = 7_267_749  # one number for "this scheduler tells the figures of the cluster"
MOST_COUNTED: Final = 100_000  # rows of an outbox that grows through an outage; more are told as so many


@dataclass(frozen=True, slots=True)
class Census:
    """At one moment of the database's clock."""

    outbox_rows: int
    outbox_oldest_seconds: float  # since it should have been published, about; the sweep puts each off as it tries
    sessions: Mapping[str, int]  # by state
    sessions_limit: int
    bytes: int


# What is held for a paused type has no time at which it should go out, and is left out.
_CENSUS = """
WITH due AS MATERIALIZED (
  SELECT publish_after - make_interval(secs => 10 * (2 ^ least(tries, 10) - 1)) AS since FROM outbox
   WHERE publish_after < 'infinity' ORDER BY publish_after, seq LIMIT $1
)
SELECT (SELECT count(*) FROM due) AS rows,
       coalesce((SELECT greatest(0, extract(epoch FROM clock_timestamp() - min(since))) FROM due), 0)::float8 AS oldest,
       current_setting('max_connections')::int AS sessions_limit, pg_database_size(current_database()) AS bytes
"""

_SESSIONS = """
SELECT coalesce(state, 'unknown') AS state, count(*) AS sessions FROM pg_stat_activity
 WHERE backend_type = 'client backend' GROUP BY 1
"""


async def census(database: Database) -> Census:
    """All of it."""
    (row,) = await database.read(_CENSUS, MOST_COUNTED)
    sessions = {found["state"]: found["sessions"] for found in await database.read(_SESSIONS)}
    return Census(row["rows"], row["oldest"], sessions, row["sessions_limit"], row["bytes"])
