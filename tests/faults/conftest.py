"""A whole Warren on servers of its own, which its tests may stop, kill and freeze."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ, make_vhost
from persistence.migrations import upgrade
from tests.conftest import at, execute
from tests.journey.api import Api, client
from tests.journey.conftest import pytest_runtest_makereport  # noqa: F401 - a failure here shows the logs too
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack, running_stack
from tests.provider import private_postgres, private_rabbitmq

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = private_postgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    upgrade(server.dsn)
    yield server
    server.kill()  # its data is thrown away


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    server = private_rabbitmq(tmp_path_factory.mktemp("rabbitmq"))
    server.start()
    yield server
    server.kill()  # its data is thrown away


@pytest.fixture(scope="session")
def stack(postgres: Postgres, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(rabbitmq.url, postgres.dsn, tmp_path_factory.mktemp("stack")) as one:
        yield one


@contextmanager
def stack_apart(postgres: Postgres, rabbitmq: RabbitMQ, folder: Path, **settings: str) -> Iterator[Stack]:
    """Another Warren on the same servers, with settings of its own, in a vhost and a database named like its folder."""
    asyncio.run(execute(postgres.dsn, f"CREATE DATABASE {folder.name}"))
    upgrade(at(postgres.dsn, folder.name))
    make_vhost(rabbitmq.management_url, folder.name)
    with running_stack(f"{rabbitmq.url}{folder.name}", at(postgres.dsn, folder.name), folder, **settings) as one:
        yield one


@pytest.fixture(scope="session")
def rabbit(rabbitmq: RabbitMQ) -> Rabbit:
    return Rabbit(rabbitmq.url, rabbitmq.management_url, "/")


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Have a line of figures printed at the end of the run, green or red."""
    return pytestconfig.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures := terminalreporter.config.stash.get(FIGURES, []):
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.write_line(line)
