"""What an operator reads in RabbitMQ's console and in Postgres: which process holds what, and for what."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

HOST = re.escape(socket.gethostname())
CONNECTIONS = ("gateway", "recorder", "scheduler", "worker")
SESSIONS = ("scheduler", "worker", "listener")  # those that always ask something; others let go of what is idle


def roles(names: list[str]) -> set[str]:
    """The role of each that is signed as it should be."""
    found = [re.fullmatch(rf"warren (\w+) {HOST}:\d+( \w+)?", name) for name in names]
    return {match[1] for match in found if match}


def purposes(names: Iterable[str]) -> set[str]:
    """What the workers' connections are for: RabbitMQ lists each a moment after it opened."""
    return {name.rpartition(" ")[2] for name in names if " worker " in name}


async def test_every_connection_says_process_host_and_role(stack: Stack, rabbit: Rabbit) -> None:
    connections: dict[str, str] = {}

    async def all_there() -> bool:
        connections.update(await rabbit.connections())
        return roles(list(connections)) >= set(CONNECTIONS) and purposes(connections) >= {"publisher", "consumer"}

    await eventually(all_there)

    assert {"Warren"} == {product for name, product in connections.items() if name.startswith("warren ")}


async def test_every_consumer_says_process_host_role_and_queue(stack: Stack, rabbit: Rabbit) -> None:
    pids = stack.worker_pids()
    tags: list[str] = []

    async def all_there() -> bool:
        tags[:] = await rabbit.consumer_tags()
        return all(any(f":{pid} consumer default " in tag for tag in tags) for pid in pids)

    await eventually(all_there)

    assert any(re.match(rf"warren recorder {HOST}:\d+ births ", tag) for tag in tags)


async def test_the_sessions_of_postgres_say_so_too(api: Api, stack: Stack) -> None:
    async def all_there() -> bool:
        rows = await api.sql("SELECT application_name FROM pg_stat_activity WHERE datname = current_database()")
        return roles([row["application_name"] for row in rows]) >= set(SESSIONS)

    assert await eventually(all_there)
