"""Facts about the broker that must not change under our feet, remembered in Postgres.

The profile is chosen by the broker's version once; an upgrade of RabbitMQ or a mixed cluster must not flip it, because
the same queue cannot be declared both ways.
"""

from __future__ import annotations

from typing import Final

from persistence.store.database import Database

PROFILE: Final = "profile"

_PIN = """
WITH pinned AS (INSERT INTO pins (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING value)
SELECT value FROM pinned UNION ALL SELECT value FROM pins WHERE name = $1 LIMIT 1
"""


async def pin(database: Database, name: str, value: str) -> str:
    """The value of that name: the one pinned before, or else this one from now on."""
    row = await database.fetch_one(_PIN, name, value)
    if row is None:  # somebody pinned it between our insert and our look: a second look sees it
        row = await database.fetch_one(_PIN, name, value)
    assert row is not None
    return str(row["value"])


async def pinned(database: Database, name: str) -> str | None:
    """The value of that name, if it has one."""
    row = await database.fetch_one("SELECT value FROM pins WHERE name = $1", name)
    return None if row is None else str(row["value"])
