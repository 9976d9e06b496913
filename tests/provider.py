"""One private RabbitMQ and one private Postgres per test session, shared by its xdist workers.

Sources in order: the environment (TEST_AMQP_URL, TEST_DATABASE_URL, TEST_MANAGEMENT_URL), native binaries,
containers when a Docker engine answers; else the tests are skipped at home and fail where CI=true.
A session's servers belong to a guard process: it stops them when the last process that holds the lease
is gone, so a killed test run leaves none behind.  Isolation is by name: a vhost and a database per worker.

Tests that stop, kill or freeze a server take one of their own: `private_postgres`, `private_rabbitmq`.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from deploy.machine.processes import Process
from deploy.servers import docker, guard, postgres, rabbitmq

# Within its folder, and gone with it: a server that is killed and never started again leaves a megabyte of memory else
THROWN_AWAY = {
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "300",  # all tests that run at once share one
}


@dataclass(frozen=True, slots=True)
class Servers:
    amqp_url: str
    database_url: str
    management_url: str


class NoServers(Exception):
    """Neither given, nor installed, nor to be had from Docker."""


@contextmanager
def servers() -> Iterator[Servers]:
    """The session's servers; started by whoever comes first."""
    try:
        found = _given() or _session_servers(_session_folder())
    except NoServers as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason), allow_module_level=True)
    yield found


def make_vhost(servers: Servers, name: str) -> str:
    """A fresh vhost; its AMQP address."""
    rabbitmq.make_vhost(servers.management_url, name)
    scheme_and_place = urlsplit(servers.amqp_url)
    return f"{scheme_and_place.scheme}://{scheme_and_place.netloc}/{quote(name, safe='')}"


def drop_vhost(servers: Servers, name: str) -> None:
    rabbitmq.drop_vhost(servers.management_url, name)


def private_postgres(folder: Path, **settings: str) -> postgres.Postgres:
    """A Postgres of one's own, not yet started: start, stop, kill, pause, resume; `.dsn` once it runs."""
    binaries = postgres.find()
    if not binaries:
        pytest.skip("no Postgres binaries on this machine")
    guarded(folder)
    return postgres.Postgres(folder, postgres.suitable(binaries, folder), settings=THROWN_AWAY | settings)


def private_rabbitmq(folder: Path) -> rabbitmq.RabbitMQ:
    """A RabbitMQ of one's own, not yet started: start, stop, kill, pause, resume; `.url` once it runs."""
    binaries = rabbitmq.find()
    if not binaries:
        pytest.skip("no RabbitMQ binaries on this machine")
    guarded(folder)
    return rabbitmq.RabbitMQ(folder, binaries[0])


def guarded(folder: Path) -> int:
    """Have what is on record under a folder killed when this process ends, or when the descriptor is closed."""
    folder.mkdir(parents=True, exist_ok=True)
    lease = Path(tempfile.gettempdir()) / f"warren-tests-{os.getuid()}" / f"{uuid.uuid4()}.lease"
    held = guard.lease(lease)
    guard.post(lease, folder)
    return held


def _given() -> Servers | None:
    amqp, database = os.environ.get("TEST_AMQP_URL"), os.environ.get("TEST_DATABASE_URL")
    if not (amqp and database):
        return None
    place = urlsplit(amqp)
    guess = f"http://{place.username or 'guest'}:{place.password or 'guest'}@{place.hostname}:15672"
    return Servers(amqp, database, os.environ.get("TEST_MANAGEMENT_URL", guess))


def _session_servers(folder: Path) -> Servers:
    folder.mkdir(parents=True, exist_ok=True)
    held = guard.lease(folder.with_suffix(".lease"))  # kept until this process ends, on purpose
    with _alone(folder.parent / "starting"):
        known = folder / "servers.json"
        if known.exists():
            return Servers(**json.loads(known.read_text()))
        folder.mkdir(exist_ok=True)  # a guard of an earlier moment may have removed it before the lease was ours
        guard.post(folder.with_suffix(".lease"), folder)
        try:
            started = _start(folder)
        except BaseException:
            os.close(held)
            raise
        known.write_text(json.dumps(asdict(started)))
        return started


def _start(folder: Path) -> Servers:
    brokers, databases = rabbitmq.find(), postgres.find()
    if brokers and databases:
        broker = rabbitmq.RabbitMQ(folder / "rabbitmq", brokers[0])
        database = postgres.Postgres(folder / "postgres", databases[0], settings=THROWN_AWAY)
        broker.start()
        database.start()
        return Servers(broker.url, database.dsn, broker.management_url)
    if docker.answers():
        return _in_containers()
    raise NoServers(
        "no RabbitMQ and Postgres: install them (deploy/test does), start Docker, "
        "or set TEST_AMQP_URL, TEST_MANAGEMENT_URL and TEST_DATABASE_URL"
    )


def _in_containers() -> Servers:
    """Removed by Testcontainers' own reaper when the process that started them ends."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - only where Docker is
    from testcontainers.core.waiting_utils import wait_for_logs  # noqa: PLC0415

    broker = DockerContainer(docker.RABBITMQ_IMAGE).with_exposed_ports(5672, 15672)
    database = DockerContainer(docker.POSTGRES_IMAGE).with_exposed_ports(5432)
    database.with_env("POSTGRES_PASSWORD", "warren").with_env("POSTGRES_USER", "warren")
    broker.start()
    database.start()
    wait_for_logs(broker, "Server startup complete", timeout=90)
    wait_for_logs(database, "ready to accept connections", timeout=60)
    host = broker.get_container_host_ip()
    return Servers(
        f"amqp://guest:guest@{host}:{broker.get_exposed_port(5672)}/",
        f"postgresql://warren:warren@{host}:{database.get_exposed_port(5432)}/warren",
        f"http://guest:guest@{host}:{broker.get_exposed_port(15672)}",
    )


def _session_folder() -> Path:
    """The same for all workers of one run, another for every other run."""
    myself = Process.of(os.getpid())
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{myself.pid}-{myself.started.rpartition('/')[2]}"
    return Path(tempfile.gettempdir()) / f"warren-tests-{os.getuid()}" / run


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
