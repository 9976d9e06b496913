"""One Warren for all journeys that leave it as it was; a journey that kills or reconfigures starts one of its own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests import provider
from tests.conftest import Places, at, execute
from tests.journey.api import Api, client
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack, running_stack
from tests.site.served import Site

SIZES = pytest.StashKey[dict[str, int]]()


@pytest.fixture(scope="session")
def home(servers: provider.Servers, template: str) -> Iterator[Places]:
    """A vhost and a database for the shared Warren."""
    name = f"journey_{uuid.uuid4().hex[:12]}"
    asyncio.run(execute(servers.database_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    amqp_url = provider.make_vhost(servers, name)
    yield Places(amqp_url, at(servers.database_url, name), servers.management_url, name)
    provider.drop_vhost(servers, name)
    asyncio.run(execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def stack(home: Places, site_of_all: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All processes, shared by every test of this folder that does not harm them; its jobs may ask the site."""
    said = {"WARREN_OUTBOUND_ALLOW": site_of_all.allowed, "WARREN_HOST_DELAY_SECONDS": "0.05"}
    with running_stack(home.amqp_url, home.database_url, tmp_path_factory.mktemp("stack"), **said) as one:
        yield one


@pytest.fixture(scope="session")
def rabbit(home: Places) -> Rabbit:
    return Rabbit(home.amqp_url, home.management_url, home.vhost)


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failure shows what the processes said meanwhile."""
    stacks = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Stack)]
    if call.when == "setup":
        item.stash[SIZES] = {name: size for one in stacks for name, size in one.log_sizes().items()}
    report = yield
    if call.when == "call" and report.failed:
        for one in stacks:
            report.sections.append(("the processes' logs", one.last_words(item.stash[SIZES])))
    return report
