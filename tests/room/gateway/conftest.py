"""One gateway for each test file, over the file's own vhost and database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.client.calls import Client
from tests.conftest import Places
from tests.room.gateway.running import Running, gateway, register_types
from tests.room.gateway.stumbling import Stumbling, stumbling
from wire.settings import Stores


@pytest.fixture(scope="module")
def stores(places: Places) -> Stores:
    """The two stores, with job types as workers would have registered them."""
    asyncio.run(register_types(places.database_url))
    return places.stores


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(stores: Stores) -> AsyncIterator[Running]:
    """The tests of a file differ in their jobs' ids."""
    async with gateway(stores) as one:
        await one.topology_stands()
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def proxy(running: Running) -> AsyncIterator[Stumbling]:
    """It stands between the gateway and the client of the test."""
    async with stumbling(f"http://127.0.0.1:{running.port}") as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def client(proxy: Stumbling) -> AsyncIterator[Client]:
    async with Client(proxy.url, patience_seconds=30) as one:
        yield one
