"""`python -m gateway`: how it starts, what it says when it cannot, how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

import aiohttp
import pytest

from deploy.machine.ports import free_ports
from tests.eventually import eventually
from tests.room.gateway.running import ECHO
from wire.settings import Stores

pytestmark = pytest.mark.asyncio

ROOT = Path(__file__).parents[3]


async def start(stores: Stores, **environment: str) -> Process:
    given = {name: value for name, value in os.environ.items() if not name.startswith("WARREN_")}
    given["WARREN_GRPC_PORT"] = "0"
    given["AMQP_URL"] = stores.amqp_url.get_secret_value()
    given["DATABASE_URL"] = stores.database_url.get_secret_value()
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", cwd=ROOT, env={**given, **environment}, stdout=DEVNULL, stderr=PIPE
    )


async def ended(process: Process) -> tuple[int | None, str]:
    _, errors = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, errors.decode()


async def test_wrong_settings_are_told_in_lines(stores: Stores) -> None:
    process = await start(stores, WARREN_PORT="many", WARREN_PORTT="1", DATABASE_URL="sqlite:///x")
    code, said = await ended(process)

    assert 2 == code
    assert 3 == len(said.splitlines())
    assert "Traceback" not in said


async def test_a_port_in_use_is_told_in_a_sentence(stores: Stores) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = await ended(await start(stores, WARREN_PORT=str(port)))

    assert 2 == code
    assert f"port {port} on 127.0.0.1 is in use" in said
    assert "Traceback" not in said


async def test_an_address_that_is_not_ours_is_told_in_a_sentence(stores: Stores) -> None:
    code, said = await ended(await start(stores, WARREN_HOST="192.0.2.1", WARREN_API_KEYS="k"))

    assert 2 == code
    assert "WARREN_HOST 192.0.2.1" in said
    assert "Traceback" not in said


async def test_a_stop_signal_answers_who_waits_and_ends_well(stores: Stores) -> None:
    """
    And a second signal is harmless.
    """
    [port] = free_ports(["http"], {}).values()
    process = await start(stores, WARREN_PORT=str(port))
    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as client:
        await eventually(lambda: _answers(client, f"{url}/health/ready"))
        async with client.post(f"{url}/api/v1/jobs", json=ECHO) as response:
            accepted = await response.json()
        asked = asyncio.create_task(client.get(f"{url}{accepted['links']['self']}?wait=60"))
        await asyncio.sleep(0)
        await eventually(lambda: _answers(client, f"{url}/health/live"))  # the question before it has arrived too
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        answer = await asyncio.wait_for(asked, 45)  # of sixty
        code, said = await ended(process)

    assert 200 == answer.status
    assert 0 == code, said
    assert "Traceback" not in said


async def test_it_stops_at_once_while_nobody_is_there(stores: Stores) -> None:
    amqp, database, port = free_ports(["amqp", "database", "http"], {}).values()
    nowhere = {"AMQP_URL": f"amqp://127.0.0.1:{amqp}/", "DATABASE_URL": f"postgresql://127.0.0.1:{database}/x"}
    process = await start(stores, WARREN_PORT=str(port), **nowhere)
    async with aiohttp.ClientSession() as client:
        await eventually(lambda: _answers(client, f"http://127.0.0.1:{port}/health/live"))
    process.terminate()
    code, said = await ended(process)

    assert 0 == code
    assert "Traceback" not in said


async def _answers(client: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with client.get(url) as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False
