"""A whole Warren on servers of its own, which its tests may stop, kill and freeze."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deploy.postgres import Postgres
from deploy.rabbitmq import RabbitMQ
from persistence.migrations import upgrade
from tests.journey.api import Api, client
from tests.journey.conftest import pytest_runtest_makereport  # noqa: F401 - a failure here shows the logs too
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack, running_stack
from tests.provider import private_postgres, private_rabbitmq


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


@pytest.fixture(scope="session")
def rabbit(rabbitmq: RabbitMQ) -> Rabbit:
    return Rabbit(rabbitmq.url, rabbitmq.management_url, "/")


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one
