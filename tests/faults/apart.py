"""A second Warren on the servers of the fault tests, in a vhost and a database of its own, with settings of its own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ, drop_vhost, make_vhost
from persistence.migrations import upgrade
from tests.conftest import at, execute
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack, running_stack


@dataclass(frozen=True, slots=True)
class Apart:
    """Its processes, and its vhost as an onlooker sees it."""

    stack: Stack
    rabbit: Rabbit


@contextmanager
def apart(postgres: Postgres, rabbitmq: RabbitMQ, folder: Path, **settings: str) -> Iterator[Apart]:
    """All processes but workers; a test starts those it wants."""
    name = f"apart_{uuid.uuid4().hex[:12]}"
    make_vhost(rabbitmq.management_url, name)
    asyncio.run(execute(postgres.dsn, f"CREATE DATABASE {name}"))
    database_url = at(postgres.dsn, name)
    upgrade(database_url)
    amqp_url = f"{rabbitmq.url.removesuffix('/')}/{quote(name, safe='')}"
    with running_stack(amqp_url, database_url, folder, workers=0, **settings) as stack:
        yield Apart(stack, Rabbit(amqp_url, rabbitmq.management_url, name))
    drop_vhost(rabbitmq.management_url, name)
