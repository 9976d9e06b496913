"""A vhost and a database for each test worker, and one gateway for each test file."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio

from persistence.migrations import upgrade
from tests import provider
from tests.room.gateway.running import Places, Running, gateway, register_echo, sql


@pytest.fixture(scope="session")
def gateway_places() -> Iterator[Places]:
    name = f"gateway_{uuid.uuid4().hex[:12]}"
    with provider.servers() as servers:
        amqp_url = provider.make_vhost(servers, name)
        asyncio.run(sql(servers.database_url, f"CREATE DATABASE {name}"))
        database_url = urlunsplit(urlsplit(servers.database_url)._replace(path=f"/{name}"))
        upgrade(database_url)
        asyncio.run(register_echo(database_url))
        yield Places(amqp_url, database_url, servers.management_url)
        asyncio.run(sql(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)"))
        provider.drop_vhost(servers, name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(gateway_places: Places) -> AsyncIterator[Running]:
    """One gateway for the whole file; the tests differ in their jobs' ids."""
    async with gateway(gateway_places) as one:
        await one.room.broker.wait_connected(30)
        yield one
