"""A connection that died under the pool: a reader does not notice, a writer is told."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from persistence.store import pool
from persistence.store.database import Database, Row
from tests.conftest import PATIENCE_SECONDS
from tests.eventually import eventually
from tests.journey.api import sql
from wire.errors import DatabaseUnavailable


@pytest.mark.parametrize(("ask", "answered"), [(Database.read, True), (Database.fetch, False)])
async def test_a_read_survives_the_loss_of_its_connection_and_a_write_does_not_guess(
    database_url: str, ask: Callable[[Database, str], Awaitable[object]], answered: bool
) -> None:
    """
    The backend ends while the loop looks elsewhere, so the pool believes in its connection until it is used.
    """
    database = Database(database_url, "test", connections=1, timeout_seconds=PATIENCE_SECONDS)
    row = await database.fetch_one("SELECT pg_backend_pid() AS pid")
    assert row is not None
    _end_backend(database_url, row["pid"])
    try:
        await ask(database, "SELECT 1 AS one")
        survived = True
    except DatabaseUnavailable:
        survived = False
    await database.stop()

    assert answered is survived


async def test_one_dead_connection_tells_of_the_others(database_url: str) -> None:
    """
    All of the pool die with the server; a reader meets one of them, and asks again on a fresh one.
    """
    database = Database(database_url, "test", connections=3, timeout_seconds=20)
    pids = await _crowd(database)
    for pid in pids:
        _end_backend(database_url, pid)
    answered = await database.read("SELECT 1 AS one")
    await database.stop()

    assert (3, 1) == (len(pids), answered[0]["one"])


async def test_a_loss_is_known_before_anybody_meets_it(database_url: str) -> None:
    database = Database(database_url, "test", connections=1, timeout_seconds=20)
    (row,) = await database.fetch("SELECT pg_backend_pid() AS pid")
    before = time.monotonic()
    whole = database.lost_since(before)
    _end_backend(database_url, row["pid"])
    await eventually(lambda: database.lost_since(before))
    await database.read("SELECT 1")
    mended = not database.lost_since(time.monotonic())
    await database.stop()

    assert (False, True) == (whole, mended)


async def test_a_loss_that_nobody_would_meet_is_told_once(database_url: str) -> None:
    """
    The connections that a crowd needed lie below the one that is used again and again; one of them ends.
    """
    database = Database(database_url, "test", connections=3, timeout_seconds=20)
    crowd = await _crowd(database)
    (used,) = await database.fetch("SELECT pg_backend_pid() AS pid")
    before = time.monotonic()
    _end_backend(database_url, next(pid for pid in crowd if pid != used["pid"]))
    await eventually(lambda: database.lost_since(before))
    after = time.monotonic()
    told_again = database.lost_since(after)
    await database.stop()

    assert not told_again


async def test_what_a_crowd_needed_is_ended_when_it_has_been_idle(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Only the last that was used is used again; the others would be Postgres' burden for as long as the process lives.
    """
    database = Database(database_url, "a crowd", connections=3, timeout_seconds=20)
    await _crowd(database)
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.1)

    async def one_is_left() -> bool:
        await database.fetch("SELECT 1")
        (row,) = await sql(database_url, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'a crowd'")
        return bool(row["count"] == 1)

    await eventually(one_is_left)
    await database.stop()


async def test_whoever_waits_for_a_connection_gets_the_first_that_is_free(database_url: str) -> None:
    """
    One that has done its work stays at hand for the next who asks; those who wait already come before him.
    """
    database = Database(database_url, "test", connections=2, timeout_seconds=20)
    asked = "SELECT pg_backend_pid() AS pid"
    found = await asyncio.gather(*(database.fetch(asked) for _ in range(200)))
    async with database.alone(7) as alone:
        others = [await database.fetch(asked) for _ in range(3)]
    await database.stop()

    assert (2, True, 1) == (len(_pids(found)), alone, len(_pids(others)))


async def test_one_that_is_interrupted_leaves_a_connection_for_the_next(database_url: str) -> None:
    """
    A caller hangs up while its statement runs: it is cancelled in Postgres too, and nobody gets its answer.
    """
    database = Database(database_url, "test", connections=1, timeout_seconds=20)
    slow = asyncio.create_task(database.fetch("SELECT pg_sleep(60), 1 AS slow"))
    asked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%AS slow'"
    await eventually(lambda: sql(database_url, f"{asked} AND state = 'active' AND pid <> pg_backend_pid()"))
    slow.cancel()
    (row,) = await database.fetch("SELECT 2 AS next")
    await database.stop()

    assert (2, True) == (row["next"], slow.cancelled())


async def test_one_that_has_been_idle_for_long_is_not_used(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A firewall may have forgotten it, and then a statement on it would wait for its whole deadline.
    """
    database = Database(database_url, "test", connections=1, timeout_seconds=20)
    asked = "SELECT pg_backend_pid() AS pid"
    found = [await database.fetch(asked), await database.fetch(asked)]
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)
    late = await database.fetch(asked)
    await database.stop()

    assert (1, 2) == (len(_pids(found)), len(_pids([*found, late])))


async def test_whoever_asks_after_the_stop_opens_nothing(database_url: str) -> None:
    """
    One asks while the first connection is still being made, one when all is over.
    """
    database = Database(database_url, "a late asker", connections=1, timeout_seconds=5)
    early = asyncio.create_task(database.fetch("SELECT 1"))
    await asyncio.sleep(0)
    await database.stop()
    ends = await asyncio.gather(early, database.fetch("SELECT 1"), return_exceptions=True)

    async def nothing_is_left() -> bool:
        return not await sql(database_url, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'a late asker'")

    assert [DatabaseUnavailable, DatabaseUnavailable] == [type(end) for end in ends]
    await eventually(nothing_is_left)


async def _crowd(database: Database) -> set[int]:
    """Three at once, each with a connection of its own: none lets go before all have one."""
    async with contextlib.AsyncExitStack() as all_of_them:
        held = [await all_of_them.enter_async_context(database.connection()) for _ in range(3)]
        return {await connection.fetchval("SELECT pg_backend_pid()") for connection in held}


def _pids(found: Sequence[Sequence[Row]]) -> set[int]:
    return {row["pid"] for (row,) in found}


def _end_backend(database_url: str, pid: int) -> None:
    """From a loop on another thread, while this one stands still."""
    ended = f"SELECT pg_terminate_backend({pid}, 5000) AS ended"
    with ThreadPoolExecutor(1) as other:
        assert other.submit(lambda: asyncio.run(sql(database_url, ended))).result()
