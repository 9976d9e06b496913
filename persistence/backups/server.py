"""What a backup and a restore ask Postgres itself; the rest is for its own programs to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from persistence.store.database import SCHEMA, Database

SECONDS: Final = 30.0

CLEARED: Final = f"BEGIN;\nSET LOCAL client_min_messages = warning;\nDROP SCHEMA IF EXISTS {SCHEMA} CASCADE;\n"

_FACTS: Final = f"""
SELECT current_setting('server_version_num')::int / 10000 AS major, current_database()::text AS name,
       EXISTS (SELECT FROM pg_namespace WHERE nspname = '{SCHEMA}') AS ours
"""  # noqa: S608 - our own name
# views, foreign keys, functions and columns of other schemas that would go with ours
_BYSTANDERS: Final = f"""
WITH ours AS MATERIALIZED (
  SELECT 'pg_class'::regclass AS kind, oid FROM pg_class WHERE relnamespace = '{SCHEMA}'::regnamespace
   UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = '{SCHEMA}'::regnamespace
   UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = '{SCHEMA}'::regnamespace
), hang AS (
  SELECT DISTINCT coalesce(r.ev_class, c.conrelid, a.adrelid, d.objid) AS id,
         CASE WHEN coalesce(r.oid, c.oid, a.oid) IS NULL THEN d.classid ELSE 'pg_class'::regclass END AS kind
    FROM pg_depend d JOIN ours o ON d.refclassid = o.kind AND d.refobjid = o.oid
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.conrelid <> 0
    LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
   WHERE d.deptype IN ('n', 'a')
)
SELECT i.identity AS name FROM hang, LATERAL pg_identify_object(hang.kind, hang.id, 0) i
 WHERE i.schema <> '{SCHEMA}' AND i.schema !~ '^pg_' ORDER BY 1 LIMIT 5
"""  # noqa: S608 - our own name
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
    ours: bool = False  # whether Warren's own schema is there


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
    return Facts(row["major"], row["name"], own["tables"], row["ours"])


async def bystanders_of(url: str) -> list[str]:
    """What others have made of Warren's own, and would go with it: `public.open_jobs`; the first five."""
    database = Database(url, "warren backup", connections=1, timeout_seconds=SECONDS)
    try:
        return await bystanders(database)
    finally:
        await database.stop()


async def bystanders(database: Database) -> list[str]:
    return [row["name"] for row in await database.fetch(_BYSTANDERS)]
