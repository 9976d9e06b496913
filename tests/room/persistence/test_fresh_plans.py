"""Plans that are made while there are no jobs yet, and are kept.

A connection prepares its statements when it first needs them, which in a new system is before there are any rows and a
minute before autovacuum has counted them.  A plan that reads a whole table is the cheapest one then, and costs more
with every job that comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from persistence.accepting import accept, births, outbox
from persistence.attempts import claim, progress, record
from persistence.crew import remind
from persistence.letters import redrive
from persistence.questions import timeline, why
from persistence.store.database import Database

GROWING = {"jobs", "attempts", "outbox", "tombstones"}
STATEMENTS = {
    "start": claim._START,
    "start with births": claim._START_BORN,
    "start one": claim._START_ONE,
    "start first": claim._START_FIRST,
    "judge": claim._JUDGE,
    "remind": remind._REMIND,
    "complete": record._COMPLETE,
    "complete one": record._COMPLETE_ONE,
    "record": record._RECORD,
    "accept": accept._ACCEPT,
    "accept one": accept._ACCEPT_ONE,
    "bear": births.BEAR,
    "delete from the outbox": outbox._DELETE,
    "turn a redriven job": redrive._TURN,
    "progress": progress._WRITE,
    "facts of why": why._FACTS,
    "story of the timeline": timeline._STORY,
}


FILL = """
INSERT INTO outbox (job_id, run, publish_after)
SELECT gen_random_uuid(), 1, clock_timestamp() FROM generate_series(1, $1::int)
"""


async def test_a_plan_of_the_first_hour_reads_no_table_from_end_to_end(database: Database) -> None:
    plans = {name: await _kept_plan(database, statement) for name, statement in STATEMENTS.items()}

    assert [] == [(name, table) for name, plan in plans.items() for table in _walks(plan)]


async def test_a_plan_of_a_calm_hour_does_not_read_the_outbox_from_end_to_end(database: Database) -> None:
    """
    It is empty then, but its pages are there: Postgres believes that it always holds nothing, and so it does in one
    that an outage has filled.
    """
    await database.fetch(FILL, 1_000)
    await database.fetch("DELETE FROM outbox")
    await database.fetch("VACUUM (ANALYZE, TRUNCATE false) outbox")  # as autovacuum does
    plans = {name: await _kept_plan(database, statement) for name, statement in STATEMENTS.items()}

    assert [] == [(name, table) for name, plan in plans.items() for table in _walks(plan) if table == "outbox"]


async def test_jobs_ahead_are_read_one_by_one_from_the_first_hour_on(database: Database) -> None:
    """
    A bitmap holds all that are ahead before the first is counted, and the bound would come too late.  Of the outbox it
    may: what lies there is counted anew within a minute of an outage, and read in order from then on.
    """
    plan = await _kept_plan(database, why._FACTS)

    assert {"outbox"} >= set(_bitmaps(plan)) & GROWING


async def test_a_walk_would_be_seen(database: Database) -> None:
    plan = await _kept_plan(database, "SELECT count(*) FROM jobs JOIN attempts ON job_id = id WHERE note = $1")

    assert GROWING & set(_walks(plan))


async def _kept_plan(database: Database, statement: str) -> dict[str, Any]:
    """The one that Postgres makes for all arguments, and stays with from the sixth time on."""
    arguments = ", ".join("NULL" for _ in set(re.findall(r"\$\d+", statement)))
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE asked AS {statement}")
        told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked({arguments})")
        await connection.execute("DEALLOCATE asked")
    plan: dict[str, Any] = json.loads(told)[0]["Plan"]
    return plan


def _walks(plan: dict[str, Any]) -> Iterator[str]:
    by = plan["Plans"][0] if plan["Node Type"] == "Bitmap Heap Scan" else plan
    whole = by["Node Type"] == "Seq Scan" or ("Index" in by["Node Type"] and "Index Cond" not in by)
    if whole and plan.get("Relation Name") in GROWING:
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _walks(part)


def _bitmaps(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Bitmap Heap Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _bitmaps(part)
