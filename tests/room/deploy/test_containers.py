"""The two servers in containers, for who has no native ones: a real engine starts, stops and keeps them."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import asyncpg
import pika
import pytest

from deploy.servers import docker

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not docker.answers(), reason="no Docker engine answers"),
]


def test_postgres_keeps_its_rows_over_a_stop(tmp_path: Path) -> None:
    server = docker.Postgres(tmp_path / "postgres")
    try:
        server.start()
        asyncio.run(_ask(server, "CREATE TABLE kept AS SELECT 7 AS n"))
        server.stop()
        stopped = not server.alive()
        server.start()

        assert stopped
        assert 7 == asyncio.run(_ask(server, "SELECT n FROM kept"))
    finally:
        _forget(server)


def test_rabbitmq_keeps_its_messages_over_a_stop(tmp_path: Path) -> None:
    server = docker.RabbitMQ(tmp_path / "rabbitmq")
    try:
        server.start()
        assert 0 == _messages(server)
        with _connected(server) as connection:
            connection.channel().basic_publish("", "kept", b"kept", pika.BasicProperties(delivery_mode=2))
        server.stop()
        stopped = not server.alive()
        server.start()

        assert stopped
        assert 1 == _messages(server)
    finally:
        _forget(server)


def _forget(server: docker.Container) -> None:
    """With its volume."""
    server.kill()
    subprocess.run(["docker", "volume", "rm", docker.container_name(server.folder, server.name)], check=True)


async def _ask(server: docker.Postgres, statement: str) -> object:
    connection = await asyncpg.connect(server.environ()["DATABASE_URL"])
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def _connected(server: docker.RabbitMQ) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(server.environ()["AMQP_URL"]))


def _messages(server: docker.RabbitMQ) -> int:
    with _connected(server) as connection:
        return int(connection.channel().queue_declare("kept", durable=True).method.message_count)
