"""Forget the hosts that nobody has visited for a month."""

from __future__ import annotations

from persistence.store.database import Database

_FORGET = """
DELETE FROM hosts
 WHERE host IN (SELECT host FROM hosts WHERE visited_at < (SELECT clock_timestamp() - interval '30 days')
                   AND coalesce(robots_until, '-infinity') < clock_timestamp()
                   AND NOT EXISTS (SELECT FROM host_turns t WHERE t.host = hosts.host)
                 ORDER BY host LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING host
"""


async def forget_hosts(database: Database, limit: int) -> int:
    return len(await database.fetch(_FORGET, limit))
