"""A private server in a folder: it starts, stops, dies, freezes and is known again, and keeps what it confirmed."""

from __future__ import annotations

import socket
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.instance import Instance
from deploy.ports import free_port, listener
from deploy.postgres import Postgres
from deploy.processes import read_record
from deploy.rabbitmq import RabbitMQ, manage
from tests import provider


@pytest.fixture(params=["postgres", "rabbitmq"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Instance]:
    make = {"postgres": provider.private_postgres, "rabbitmq": provider.private_rabbitmq}[request.param]
    instance = make(tmp_path / "a folder")
    yield instance
    instance.kill()  # a node takes six seconds to stop in order


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    instance = provider.private_postgres(tmp_path)
    instance.start()
    yield instance
    instance.kill()  # a node takes six seconds to stop in order


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    instance = provider.private_rabbitmq(tmp_path_factory.mktemp("rabbitmq"))
    instance.start()
    yield instance
    instance.kill()  # a node takes six seconds to stop in order


def test_it_keeps_its_address_over_a_stop_and_a_power_cut(server: Instance) -> None:
    server.start()
    first = dict(server.ports)
    server.stop()
    server.start()
    server.kill()

    assert not server.alive()

    server.start()

    assert (first, True) == (dict(server.ports), server.answers())


def test_a_frozen_server_does_not_answer_and_can_still_be_stopped(server: Instance) -> None:
    server.start()
    server.pause()

    assert not server.answers()

    server.resume()

    assert server.answers()

    server.pause()
    server.stop()

    assert not server.alive()


def test_whoever_comes_after_a_killed_supervisor_adopts_it(server: Instance) -> None:
    """
    The second object knows only the folder.
    """
    server.start()
    before = server.process
    again = type(server)(server.folder, server.binaries)  # type: ignore[call-arg, attr-defined]
    again.start()

    assert before is not None
    assert again.process == before


def test_it_listens_on_the_loopback_interface_only(server: Instance) -> None:
    server.start()
    outside = socket.gethostbyname(socket.gethostname())
    if outside.startswith("127."):
        outside = "127.0.0.2"  # ours, and not the one address it was told
    reached = [name for name, port in server.ports.items() if not _refused(outside, port)]

    assert reached == []


def test_a_taken_port_is_not_fought_for(server: Instance) -> None:
    server.start()
    server.kill()
    name = server.port_names[0]
    with socket.create_server(("127.0.0.1", server.ports[name])):
        server.start()

        assert server.answers()


async def test_what_postgres_committed_survives_a_power_cut(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    postgres.kill()
    postgres.start()
    again = await asyncpg.connect(postgres.dsn)

    assert await again.fetchval("SELECT one FROM kept") == 1
    assert await again.fetchval("SHOW fsync") == "on"

    await again.close()
    connection.terminate()


async def test_postgres_wants_its_password(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn.replace(postgres.password, "guess"))


def test_rabbitmq_has_no_guest_and_keeps_its_password_private(rabbitmq: RabbitMQ) -> None:
    guest = rabbitmq.management_url.replace(f"warren:{rabbitmq.password}", "guest:guest")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        manage(guest, "GET", "whoami")

    assert b'"warren"' in manage(rabbitmq.management_url, "GET", "whoami")
    assert all((rabbitmq.folder / name).stat().st_mode & 0o077 == 0 for name in ("rabbitmq.conf", "instance.json"))


def test_rabbitmq_shows_its_metrics(rabbitmq: RabbitMQ) -> None:
    with socket.create_connection(("127.0.0.1", rabbitmq.ports["prometheus"]), timeout=5) as connection:
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")

        assert connection.recv(12).endswith(b" 200")


def test_rabbitmq_leaves_no_port_mapper_behind(rabbitmq: RabbitMQ) -> None:
    """
    The last test of this file that needs the node.
    """
    mapper = read_record(rabbitmq.folder / "epmd.json")
    rabbitmq.stop()

    assert mapper is not None
    assert not mapper.alive()


def test_the_holder_of_a_port_is_known_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        holder = listener(port)

    assert holder is not None
    assert holder[1].startswith(("python", "pytest"))
    assert listener(free_port()) is None


def _refused(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return False
    except OSError:
        return True
