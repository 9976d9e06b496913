"""What a backup and a restore ask Postgres itself; the rest is for its own programs to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from persistence.store.database import Database

SECONDS: Final = 30.0

_FACTS: Final = """
SELECT current_setting('server_version_num')::int / 10000 AS major, current_database()::text AS name
"""
# what initdb and extensions have made does not count
_OWN: Final = """
SELECT count(*) AS tables FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (
         SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a database."""

    major: int  # of its server: 17
    name: str
    tables: int  # and views and sequences, that somebody has made


async def facts_of(url: str) -> Facts:
    """Of the database at this address; DatabaseUnavailable if it cannot be asked."""
    database = Database(url, "warren backup", connections=1, timeout_seconds=SECONDS)
    try:
        return await facts(database)
    finally:
        await database.stop()


async def facts(database: Database) -> Facts:
    row, own = await database.fetch_one(_FACTS), await database.fetch_one(_OWN)
    assert row
    assert own
    return Facts(row["major"], row["name"], own["tables"])
