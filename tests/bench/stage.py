"""What every measurement stands on: servers of its own, and on them a Warren or somebody who is measured beside it.

A ground is a virtual host and a database that nobody has used before, so that whoever comes later meets no rows, no
queues and no statistics of whoever came first.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.servers import guard, postgres, rabbitmq
from persistence.migrations import upgrade
from tests.databases import at, execute
from tests.journey.stack import Stack, running_stack


@dataclass(frozen=True, slots=True)
class Ground:
    """Where one contestant works; its folder lies in that of the servers."""

    amqp_url: str
    database_url: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Servers:
    """RabbitMQ and Postgres, private to one measurement."""

    broker: rabbitmq.RabbitMQ
    database: postgres.Postgres
    home: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextlib.contextmanager
    def ground(self) -> Iterator[Ground]:
        """A place that holds our tables and nothing else; it is gone at the end."""
        name = f"ground_{next(self._numbers)}"
        asyncio.run(execute(at(self.database.dsn, "postgres"), f"CREATE DATABASE {name} TEMPLATE {postgres.DATABASE}"))
        rabbitmq.make_vhost(self.broker.management_url, name)
        folder = self.home / name
        folder.mkdir()
        try:
            yield Ground(self.broker.url + name, at(self.database.dsn, name), folder)
        finally:
            rabbitmq.drop_vhost(self.broker.management_url, name)
            asyncio.run(execute(at(self.database.dsn, "postgres"), f"DROP DATABASE {name} WITH (FORCE)"))


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    """Both servers, Postgres with our tables in it; they go at the end."""
    with _folder() as home:
        broker = rabbitmq.RabbitMQ(home / "rabbitmq", rabbitmq.find()[0])
        database = postgres.Postgres(home / "postgres", postgres.find()[0])
        broker.start()
        database.start()
        try:
            upgrade(database.dsn)
            yield Servers(broker, database, home)
        finally:
            database.stop()
            broker.stop()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A guard removes it, and what runs in it, when this process is killed."""
    home = Path(tempfile.mkdtemp(prefix="warren-bench-"))
    lease = home.with_suffix(".lease")
    held = guard.lease(lease)
    guard.post(lease, home)
    try:
        yield home
    finally:
        os.close(held)


@contextlib.contextmanager
def stage(*, workers: bool = True, **settings: str) -> Iterator[Stack]:
    """All processes of Warren, with workers or with none yet; the servers go with them."""
    with servers() as found:
        folder = found.home / "stack"
        folder.mkdir()
        urls = found.broker.url, found.database.dsn
        with running_stack(*urls, folder, near_url=found.database.near, **settings) as stack:
            if not workers:
                stack.stop("actors")  # they have registered their types
            yield stack
