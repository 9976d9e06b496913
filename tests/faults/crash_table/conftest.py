"""One Warren with a saboteur in each of its processes, on a vhost and a database of its own.

Leases and looks are short, so that what ends by silence ends within seconds.  After the last row of the table the
workers are stopped, and nothing may be left anywhere: no job open, no row in the outbox, no message in any queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deploy.machine.ports import free_ports
from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ, make_vhost
from persistence.migrations import upgrade
from tests.conftest import at, execute
from tests.faults.crash_table.scene import WORKERS, Scene, nothing_is_left
from tests.faults.saboteur import Saboteur
from tests.journey.api import Api, client
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack, running_stack

SHORT = {
    "WARREN_HEARTBEAT_SECONDS": "0.5",
    "WARREN_LEASE_SECONDS": "8",  # longer than a machine is likely to stand still
    "WARREN_DRAIN_SECONDS": "1",
    "WARREN_SWEEP_SECONDS": "0.2",
    "WARREN_REAP_SECONDS": "0.3",
    "WARREN_RESCUE_BATCH": "2",  # how soon it comes is left as it is: only its own row is to meet it
}


@pytest.fixture(scope="package")
def saboteur(tmp_path_factory: pytest.TempPathFactory) -> Saboteur:
    return Saboteur(tmp_path_factory.mktemp("sabotage"))


@pytest.fixture(scope="package")
def mail_port() -> int:
    """Where a row that wants mail has a server; else there is none."""
    return free_ports(["mail"], {})["mail"]


@pytest.fixture(scope="package")
def stack(
    postgres: Postgres, rabbitmq: RabbitMQ, saboteur: Saboteur, mail_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("crash_table")  # numbered: other tests may run between its files
    asyncio.run(execute(postgres.dsn, f"CREATE DATABASE {folder.name}"))
    make_vhost(rabbitmq.management_url, folder.name)
    database_url = at(postgres.dsn, folder.name)
    upgrade(database_url)
    with running_stack(
        at(rabbitmq.url, folder.name),
        database_url,
        folder,
        workers=WORKERS,
        through=("tests.faults.saboteur",),
        WARREN_ACTORS="journey_jobs,mail_jobs,tests.faults.crash_jobs",
        WARREN_SMTP_URL=f"smtp://127.0.0.1:{mail_port}",
        WARREN_MAIL_FROM="w@example.org",
        WARREN_BACKUP_PLACES=(folder / "backups").as_uri(),
        WARREN_BACKUP_FOLDERS=str(folder),
        **saboteur.environment,
        **SHORT,
    ) as one:
        yield one
        one.stop("actors")  # what it had not acked is back in its queue, where it is counted
        asyncio.run(nothing_is_left(one))


@pytest.fixture(scope="package")
def rabbit(rabbitmq: RabbitMQ, stack: Stack) -> Rabbit:
    return Rabbit(stack.amqp_url, rabbitmq.management_url, stack.folder.name)


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


@pytest_asyncio.fixture
async def scene(api: Api, stack: Stack, rabbit: Rabbit, saboteur: Saboteur) -> AsyncIterator[Scene]:
    """One row of the table: whoever died is there again, and nothing of the row before is on its way."""
    one = Scene(api, stack, rabbit, saboteur)
    await one.calm()
    yield one

    assert [] == saboteur.still_armed()
