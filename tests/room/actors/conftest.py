"""The lane's room: a lane, or a consumer alone, on the servers of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from persistence.store.database import Database
from tests.conftest import Places
from tests.room.actors.running import Running, running_lane


@pytest_asyncio.fixture
async def running(places: Places, database: Database) -> AsyncIterator[Running]:
    """A lane with two places."""
    async with running_lane(places, database, concurrency=2, prefetch=20) as one:
        yield one
