"""A connection that died under the pool: a reader does not notice, a writer is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from persistence.database import Database
from tests.journey.api import sql
from wire.errors import DatabaseUnavailable


@pytest.mark.parametrize(("ask", "answered"), [(Database.read, True), (Database.fetch, False)])
async def test_a_read_survives_the_loss_of_its_connection_and_a_write_does_not_guess(
    database_url: str, ask: Callable[[Database, str], Awaitable[object]], answered: bool
) -> None:
    """
    The backend ends while the loop looks elsewhere, so the pool believes in its connection until it is used.
    """
    database = Database(database_url, "test", connections=1, timeout_seconds=5)
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


def _end_backend(database_url: str, pid: int) -> None:
    """From a loop on another thread, while this one stands still."""
    ended = f"SELECT pg_terminate_backend({pid}, 5000) AS ended"
    with ThreadPoolExecutor(1) as other:
        assert other.submit(lambda: asyncio.run(sql(database_url, ended))).result()
