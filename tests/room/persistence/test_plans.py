"""No statement of ours walks through all jobs, attempts, schedules or runs: whatever there are, a million or more.

Nor does one ask the clock for each row where an index could have told what is due: it would look at all that is not.
The planner is made to believe in a million of each, then all that Warren asks is asked six times.  Each statement that
stands in the room has to be among what Postgres was asked, so a new one cannot be left out.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping

import pytest

import persistence
from tests.bench.lifelike import fill
from tests.conftest import Places, execute
from tests.room.persistence.everything import everything
from tests.room.persistence.explained import Explained, Walk, plain
from tests.room.persistence.schedules.crowd import crowd

JOBS, BELIEVED = 8_000, 1_000_000
ROUNDS = 6  # from the sixth on Postgres may use a plan that fits all arguments
LARGE = {"jobs", "attempts", "artifacts", "schedules", "schedule_runs"}
WALKERS = {"ledger"}  # what reads all rows on purpose, and says so: for a proof, never for a Warren at work
LOCKS = {"segments"}  # what asks for locks, on a connection of its own, and no table
BELIEVE = f"""
WITH large AS (SELECT unnest(ARRAY['warren.{"', 'warren.".join(sorted(LARGE))}']::regclass[])::oid AS oid)
UPDATE pg_class SET reltuples = reltuples * {BELIEVED / JOBS}
 WHERE oid IN (SELECT oid FROM large UNION SELECT indexrelid FROM pg_index, large WHERE indrelid = large.oid);
{"".join(f"ALTER TABLE warren.{table} SET (autovacuum_enabled = false);" for table in sorted(LARGE))}
"""
LEFT_BEHIND = """
INSERT INTO warren.artifacts (id, job_id, lease, attempt, kind, name, content_type, key, state, size_bytes, sha256,
                              sweep_after)
SELECT gen_random_uuid(), id, 1, 1, 'saved', 'page.html', 'text/html', id::text, 'kept', 1000, '\\x00', now()
  FROM warren.jobs;
ANALYZE warren.artifacts;
"""
STATEMENT = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b")
TEMPLATE = re.compile(r"\{[a-z]+\}")


@pytest.fixture(scope="module")
def asked(places: Places) -> Explained:
    """All was asked of it."""

    async def ask() -> Explained:
        await fill(places.database_url, JOBS)
        await crowd(places.database_url, JOBS)
        await execute(places.database_url, LEFT_BEHIND)
        await execute(places.database_url, BELIEVE)
        database = Explained(places.database_url)
        for _ in range(ROUNDS):
            await everything(database)
        await database.stop()
        return database

    return asyncio.run(ask())


def test_no_statement_walks_through_a_large_table(asked: Explained) -> None:
    assert [] == [walk for walk in asked.walks if walk.table in LARGE]


def test_every_statement_of_the_room_was_asked(asked: Explained) -> None:
    asked_in_all = "\n".join(asked.statements)

    assert [] == [name for name, text in _statements() if plain(text) not in asked_in_all]


async def test_a_walk_would_be_seen(places: Places, asked: Explained) -> None:
    database = Explained(places.database_url)
    by_note = "SELECT id FROM jobs WHERE note = 'what no index knows'"
    by_clock = "SELECT id FROM jobs WHERE state = 'running' AND created_at < clock_timestamp() - interval '9 days'"
    for statement in (by_note, by_clock):
        await database.fetch(statement)
    await database.stop()

    assert {Walk("jobs", "all rows", by_note), Walk("jobs", "each row by the clock", by_clock)} == database.walks


def _statements() -> Iterator[tuple[str, str]]:
    """All that stand at the top of a file, where they belong."""
    for found in pkgutil.walk_packages(persistence.__path__, "persistence."):
        if {"__main__", "migrations", *WALKERS, *LOCKS} & set(found.name.split(".")):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            if not name.startswith("__"):
                yield from ((f"{found.name}.{name}", text) for text in _texts(value) if _is_statement(text))


def _texts(value: object) -> list[str]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    return [text for text in (value if isinstance(value, tuple | list) else [value]) if isinstance(text, str)]


def _is_statement(text: str) -> bool:
    return bool(STATEMENT.match(text)) and not TEMPLATE.search(text)
