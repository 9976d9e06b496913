"""Where RabbitMQ and Postgres come from, each on its own, in this order:

1. the environment names one: it is used and never started or stopped;
2. binaries on this machine: a private instance in the data folder;
3. a Docker engine answers: a container with our label;
4. they are installed, and then run as in 2.

A data folder stays with what made its data: a volume is not looked for where a cluster lies.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.machine.processes import POLL_SECONDS
from deploy.servers import addresses, docker, postgres, rabbitmq
from deploy.servers.instance import ServerFailed

SOURCES = ("native", "docker", "install")
GIVEN_SECONDS = 20.0  # a compose service beside us may still be booting


class NoServer(Exception):
    pass


class Server(Protocol):
    @property
    def name(self) -> str: ...

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def alive(self) -> bool: ...
    def environ(self) -> dict[str, str]: ...
    def facts(self) -> list[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """What a machine offers for one server; each is asked only when the ones before it had nothing."""

    native: Callable[[], Server | None]
    container: Callable[[], Server]
    installed: Callable[[], Server]


@dataclass(frozen=True, slots=True)
class Given:
    """A server that somebody else runs."""

    name: str
    variable: str
    url: str

    def start(self) -> None:
        host, port = addresses.host_and_port(self.url)
        deadline = time.monotonic() + GIVEN_SECONDS
        while not _listens(host, port):
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.variable} names {host}:{port}, and nothing answers there")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Not ours."""

    kill = stop

    def alive(self) -> bool:
        return True

    def environ(self) -> dict[str, str]:
        return {self.variable: self.url}

    def facts(self) -> list[tuple[str, str]]:
        label = {"rabbitmq": "RabbitMQ", "postgres": "Postgres"}.get(self.name, self.name)
        return [(label, f"{addresses.without_password(self.url)} (from {self.variable})")]


def given(environ: Mapping[str, str]) -> tuple[Given | None, Given | None]:
    """RabbitMQ and Postgres as the environment names them."""
    amqp, database = addresses.amqp_url(environ), addresses.database_url(environ)
    broker = Given("rabbitmq", "AMQP_URL", amqp) if amqp else None
    store = Given("postgres", "DATABASE_URL", database) if database else None
    return broker, store


def choose(choice: Choice, sources: tuple[str, ...] = SOURCES) -> Server:
    for source in sources:
        if source == "native" and (native := choice.native()):
            return native
        if source == "docker" and docker.answers():
            return choice.container()
        if source == "install":
            return choice.installed()
    raise NoServer(
        f"none of {', '.join(sources)} offers this server; install rabbitmq-server and postgresql, or Docker"
    )


def rabbitmq_choice(folder: Path, log: Path, install: Callable[[], rabbitmq.Binaries]) -> Choice:
    def native() -> Server | None:
        found = rabbitmq.find()
        return rabbitmq.RabbitMQ(folder, found[0], log) if found else None

    return Choice(
        native,
        lambda: docker.RabbitMQ(folder),
        lambda: rabbitmq.RabbitMQ(folder, install(), log),
    )


def postgres_choice(folder: Path, log: Path, install: Callable[[], list[postgres.Binaries]]) -> Choice:
    def run(found: list[postgres.Binaries]) -> Server:
        return postgres.Postgres(folder, postgres.suitable(found, folder), log)

    def native() -> Server | None:
        found = postgres.find()
        return run(found) if found and postgres.fits(found, folder) else None

    return Choice(native, lambda: docker.Postgres(folder), lambda: run(install()))


def sources_for(folder: Path, sources: tuple[str, ...] = SOURCES) -> tuple[str, ...]:
    """Data made by one source are not looked for by another."""
    if (folder / docker.MARK).exists():
        return tuple(source for source in sources if source == "docker")
    if (folder / "cluster").exists() or (folder / "data").exists():
        return tuple(source for source in sources if source != "docker")
    return sources


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False
