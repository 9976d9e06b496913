"""A Postgres that accepts connections and says nothing: every way to ask it has a deadline, and no process hangs.

Whoever asks goes through `Database`, so its ways in are what is tested; that nobody has a way of his own is tested too.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.servers.postgres import Postgres
from persistence.store.database import Database
from tests.eventually import eventually
from tests.provider import private_postgres
from wire.errors import DatabaseUnavailable

ROOT = Path(__file__).parents[3]
DEADLINE = 0.3
MOST = 30.0  # three deadlines at most, on a machine that may be loaded; a hang has no end


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = private_postgres(Path(tmp_path_factory.mktemp("postgres")))
    server.start()
    yield server
    server.stop()


@pytest_asyncio.fixture
async def asked(postgres: Postgres) -> AsyncIterator[Database]:
    """A pool whose one connection stands."""
    database = Database(postgres.dsn, "test", connections=1, timeout_seconds=DEADLINE)
    try:
        await eventually(lambda: _answers(database))
        yield database
    finally:
        await database.stop()


async def _answers(database: Database) -> bool:
    """Within the deadline of this file, which on a busy machine is not every time enough."""
    with contextlib.suppress(DatabaseUnavailable):
        return [1] == [row["one"] for row in await database.fetch("SELECT 1 AS one")]
    return False


async def fetch(database: Database, freeze: Callable[[], None]) -> None:
    freeze()
    await database.fetch("SELECT 1")


async def read(database: Database, freeze: Callable[[], None]) -> None:
    freeze()
    await database.read("SELECT 1")


async def first_connection(database: Database, freeze: Callable[[], None]) -> None:
    await database.stop()
    await database.start()
    freeze()
    await database.fetch("SELECT 1")


async def transaction(database: Database, freeze: Callable[[], None]) -> None:
    async with database.transaction() as begun:
        freeze()
        await begun.execute("SELECT 1")


async def commit(database: Database, freeze: Callable[[], None]) -> None:
    async with database.transaction() as begun:
        await begun.execute("SELECT 1")
        freeze()


async def lock(database: Database, freeze: Callable[[], None]) -> None:
    freeze()
    async with database.alone(7):
        raise AssertionError("nobody has granted it")


async def unlock(database: Database, freeze: Callable[[], None]) -> None:
    async with database.alone(7) as granted:
        assert granted
        freeze()


@pytest.mark.parametrize("way", [fetch, read, first_connection, transaction, commit, lock, unlock])
async def test_a_frozen_postgres_is_an_outage_with_a_deadline(
    asked: Database, postgres: Postgres, way: Callable[[Database, Callable[[], None]], Awaitable[None]]
) -> None:
    try:
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await way(asked, postgres.pause)
        took = time.monotonic() - began
    finally:
        postgres.resume()

    assert took < MOST
    await eventually(lambda: _answers(asked))


def test_nobody_has_a_connection_of_his_own() -> None:
    """A connection that was opened elsewhere would have no deadline; only a migration may take its time."""
    opens = re.compile(r"asyncpg\.(connect|create_pool)\(|create_async_engine\(")
    rooms = ("wire", "persistence", "actors", "gateway", "scheduler")

    assert ["persistence/store/database.py", "persistence/store/pool.py"] == [
        str(path.relative_to(ROOT))
        for room in rooms
        for path in sorted((ROOT / room).rglob("*.py"))
        if opens.search(path.read_text()) and "migrations" not in path.parts
    ]
