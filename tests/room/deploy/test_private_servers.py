"""A private server in a folder: it starts, stops, dies, freezes and is known again, and keeps what it confirmed."""

from __future__ import annotations

import os
import socket
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.machine.ports import free_port, listener
from deploy.machine.processes import read_record
from deploy.servers.instance import Instance
from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ, manage
from tests import provider


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    instance = provider.private_postgres(tmp_path_factory.mktemp("postgres") / "a folder")
    yield instance
    instance.kill()


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    instance = provider.private_rabbitmq(tmp_path_factory.mktemp("rabbitmq") / "a folder")
    yield instance
    instance.kill()  # a node takes six seconds to stop in order


@pytest.fixture(params=["postgres", "rabbitmq"])
def server(request: pytest.FixtureRequest) -> Instance:
    """One for all tests, each of which starts it: that costs nothing where the test before has left it alive."""
    instance: Instance = request.getfixturevalue(request.param)
    return instance


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


async def test_what_postgres_committed_survives_a_power_cut(postgres: Postgres) -> None:
    postgres.start()
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
    postgres.start()
    for way in (postgres.dsn, postgres.near):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(way.replace(postgres.password, "guess"))


async def test_the_shorter_way_to_postgres_leads_to_the_same_one(postgres: Postgres) -> None:
    postgres.start()
    far, near = await asyncpg.connect(postgres.dsn), await asyncpg.connect(postgres.near)
    await far.execute("CREATE TABLE here AS SELECT 1 AS one")

    assert 1 == await near.fetchval("SELECT one FROM here")
    assert await near.fetchval("SELECT inet_server_addr() IS NULL")  # no TCP

    await far.close()
    await near.close()


def test_rabbitmq_has_no_guest_and_keeps_its_password_private(rabbitmq: RabbitMQ) -> None:
    rabbitmq.start()
    guest = rabbitmq.management_url.replace(f"warren:{rabbitmq.password}", "guest:guest")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        manage(guest, "GET", "whoami")

    assert b'"warren"' in manage(rabbitmq.management_url, "GET", "whoami")
    assert all((rabbitmq.folder / name).stat().st_mode & 0o077 == 0 for name in ("rabbitmq.conf", "instance.json"))


def test_rabbitmq_shows_its_metrics(rabbitmq: RabbitMQ) -> None:
    rabbitmq.start()
    with socket.create_connection(("127.0.0.1", rabbitmq.ports["prometheus"]), timeout=5) as connection:
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")

        assert connection.recv(12).endswith(b" 200")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux tells which cores a thread may use")
def test_rabbitmq_works_on_whichever_core_is_free(rabbitmq: RabbitMQ) -> None:
    """
    The cores are those of all of Warren: a thread that is tied to one waits while the other stands idle.
    """
    rabbitmq.start()
    assert rabbitmq.process is not None
    threads = Path(f"/proc/{rabbitmq.process.pid}/task").iterdir()

    assert {frozenset(os.sched_getaffinity(0))} == {frozenset(os.sched_getaffinity(int(one.name))) for one in threads}


def test_it_keeps_its_address_over_a_stop_and_a_power_cut(server: Instance) -> None:
    server.start()
    first = dict(server.ports)
    server.stop()
    server.start()
    server.kill()

    assert not server.alive()

    server.start()

    assert (first, True) == (dict(server.ports), server.answers())


def test_a_taken_port_is_not_fought_for(server: Instance) -> None:
    server.start()
    server.kill()
    name = server.port_names[0]
    with socket.create_server(("127.0.0.1", server.ports[name])):
        server.start()

        assert server.answers()


def test_a_frozen_server_does_not_answer_and_can_still_be_stopped(server: Instance) -> None:
    """
    With it goes the port mapper that RabbitMQ has beside it.
    """
    server.start()
    beside = read_record(server.folder / "epmd.json")
    server.pause()

    assert not server.answers()

    server.resume()

    assert server.answers()

    server.pause()
    server.stop()

    assert not server.alive()
    assert (server.name == "rabbitmq", False) == (beside is not None, beside is not None and beside.alive())


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
