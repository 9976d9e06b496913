"""The database of a file of these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from persistence.declared.job_types import register
from persistence.store.database import Database
from tests.conftest import PATIENCE_SECONDS, Places
from tests.room.persistence.rows import ECHO


@pytest_asyncio.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    """One for the file: its tests differ in their schedules, and a copy for each would take longer than they do."""
    pool = Database(places.database_url, "test", connections=4, timeout_seconds=PATIENCE_SECONDS)
    await register(pool, [ECHO])
    yield pool
    await pool.stop()
