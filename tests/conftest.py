"""What every test on real servers stands on: a broker's vhost and a database of its own.

A database is made from a template that the migrations have built, which takes a tenth of a second; a test that does
not ask for one pays nothing.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from persistence.migrations import upgrade
from persistence.store.database import Database
from tests import provider
from tests.databases import at, execute
from tests.site.served import Site, serving
from wire.rabbitmq.amqp import Broker
from wire.settings import Stores

PATIENCE_SECONDS = 60  # with a server on a machine that stands still at times; who tests a deadline says a shorter one
FOLDERS = ("unit", "room", "journey", "faults")
# What takes longest begins first, or one process would still be at it when the others have nothing left to do
LONGEST = (
    "room/deploy/test_private_servers.py",
    "room/deploy/test_venv.py",
    "room/gateway/test_outages.py",
    "room/gateway/test_fuzz.py",
    "room/gateway/test_bad_input.py",
    "room/persistence/test_sql_door.py",
    "room/persistence/test_dead_letters.py",
    "room/scheduler/test_epoch.py",
    "room/persistence/test_together.py",
    "room/wire/test_silence.py",
    "room/actors/test_child_processes.py",
    "journey/test_client.py",
    "journey/test_supervision.py",
    "journey/test_queues.py",
    "journey/test_up.py",
    "journey/test_priority.py",
    "journey/stock_dramatiq/test_stock_dramatiq.py",
    "journey/test_cancel.py",
    "journey/test_prove.py",
    "journey/test_children.py",
    "journey/test_examples.py",
    "journey/test_whole_crawl.py",
    "journey/test_own_project.py",
    "journey/test_traces.py",
    "journey/test_printed_payloads.py",
    "journey/test_demo.py",
    "journey/test_compose_env.py",
    "faults/crash_table/test_worker.py",
    "faults/crash_table/test_gateway.py",
    "faults/test_kills.py",
    "faults/test_poison.py",
    "faults/test_clock.py",
    "faults/test_frozen_worker.py",
    "faults/crash_table/test_scheduler.py",
    "faults/test_hopping.py",
    "faults/test_outages.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the long forms too: more jobs, more kills, real minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test's folder is its marker; what has only a long form is left out of a short run; the longest files begin."""
    root = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(root).parts[0]
        if folder in FOLDERS:
            item.add_marker(getattr(pytest.mark, folder))
    if not config.getoption("--long"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    rank = {root / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(LONGEST)))


@pytest.fixture(scope="session")
def long(pytestconfig: pytest.Config) -> bool:
    """Whether the long form was asked for; a test with two forms chooses its numbers by it."""
    return bool(pytestconfig.getoption("--long"))


@dataclass(frozen=True, slots=True)
class Places:
    """A vhost and a database that nobody else uses."""

    amqp_url: str
    database_url: str
    management_url: str
    vhost: str

    @property
    def stores(self) -> Stores:
        return Stores(
            amqp_url=SecretStr(self.amqp_url),
            database_url=SecretStr(self.database_url),
            broker_timeout_seconds=PATIENCE_SECONDS,
            database_timeout_seconds=PATIENCE_SECONDS,
        )


@pytest.fixture(scope="session")
def servers() -> Iterator[provider.Servers]:
    with provider.servers() as found:
        yield found


@pytest.fixture(scope="session")
def site_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site on loopback that jobs may read, with its log of who asked what when."""
    with serving(tmp_path_factory.mktemp("site")) as one:
        yield one


@pytest.fixture(scope="module")
def site(site_of_all: Site) -> Site:
    """The same; its log begins with this file, because another one may have asked the same hosts just now."""
    return site_of_all.from_now()


@pytest.fixture(scope="session")
def template(servers: provider.Servers) -> Iterator[str]:
    """The name of a migrated database that is only ever copied."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    asyncio.run(execute(servers.database_url, f"CREATE DATABASE {name}"))
    upgrade(at(servers.database_url, name))
    yield name
    asyncio.run(execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database_url(servers: provider.Servers, template: str) -> Iterator[str]:
    """A fresh, migrated database."""
    yield from _copied(servers, template)


@pytest.fixture(scope="module")
def places(servers: provider.Servers, template: str) -> Iterator[Places]:
    """A vhost and a database for the tests of one file."""
    vhost = f"vhost_{uuid.uuid4().hex[:12]}"
    amqp_url = provider.make_vhost(servers, vhost)
    for url in _copied(servers, template):
        yield Places(amqp_url, url, servers.management_url, vhost)
    provider.drop_vhost(servers, vhost)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on a fresh database."""
    pool = Database(database_url, "test", connections=4, timeout_seconds=PATIENCE_SECONDS)
    yield pool
    await pool.stop()


@pytest_asyncio.fixture
async def broker(places: Places) -> AsyncIterator[Broker]:
    """A connection to the file's vhost."""
    link = Broker(places.amqp_url, "test", timeout_seconds=PATIENCE_SECONDS)
    await link.start()
    await link.wait_connected()
    yield link
    await link.stop()


def _copied(servers: provider.Servers, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    asyncio.run(execute(servers.database_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield at(servers.database_url, name)
    asyncio.run(execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)"))
