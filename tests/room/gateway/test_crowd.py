"""Many at once: connections that say nothing, connections that are in use, and a thousand who wait for their jobs."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from aiohttp import web
from sqlalchemy import ClauseElement

from deploy.machine.ports import free_ports
from gateway.entrance.body import ARRIVING
from gateway.entrance.listen import Listener
from gateway.telling.waiting import Waiting
from persistence.store.database import Database, Row
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.gateway.running import Running
from wire.lifecycle import running as running_services

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[3]
FEW = 5
ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def held() -> asyncio.Event:
    """Requests are answered once it is set."""
    return asyncio.Event()


@asynccontextmanager
async def listening(held: asyncio.Event) -> AsyncIterator[int]:
    """The port of a listener that has room for a few."""

    async def answer(_: web.Request) -> web.Response:
        await held.wait()
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/", answer)
    listener = Listener(app, "127.0.0.1", 0, most=FEW)
    await listener.start()
    yield listener.port
    held.set()
    await listener.stop()


async def test_the_oldest_idle_connection_makes_room(held: asyncio.Event) -> None:
    """
    Also one that has sent half a head and leaves it at that.
    """
    held.set()
    async with listening(held) as port:
        lines = [await _line(port, b"GET / HT" if n % 2 else ASK) for n in range(FEW)]
        assert b"here" in await lines[0][0].readuntil(b"here")
        newcomer = await _line(port, ASK)

        assert b"HTTP/1.1 200 " in await newcomer[0].readuntil(b"here")
        assert b"" == await lines[0][0].read()
        assert not lines[1][0].at_eof()
        _close(*lines, newcomer)


async def test_where_all_are_in_use_a_newcomer_is_turned_away(held: asyncio.Event) -> None:
    async with listening(held) as port:
        lines = [await _line(port, ASK) for _ in range(FEW)]
        await asyncio.gather(*[line[1].drain() for line in lines])
        newcomer = await eventually(lambda: _turned_away(port))
        held.set()
        answers = await asyncio.gather(*[line[0].readuntil(b"here") for line in lines])

    head, _, body = newcomer.partition(b"\r\n\r\n")
    assert b"HTTP/1.1 503 " in head
    assert b"Retry-After: 2" in head
    assert ("/problems#unavailable", "send it again") == (json.loads(body)["type"], json.loads(body)["remedy"])
    assert FEW == sum(b"HTTP/1.1 200 " in answer for answer in answers)
    _close(*lines)


async def test_silent_connections_do_not_take_the_last_file(places: Places, tmp_path: Path, long: bool) -> None:
    """
    A process that may open 256 files and has 512 connections that never say a word; in the long form 10,240 and 11,000.
    """
    files, connections = (10_240, 11_000) if long else (256, 512)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    [port] = free_ports(["http"], {}).values()
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "WARREN_PORT": str(port), "WARREN_GRPC_PORT": "0"}
    given |= {"AMQP_URL": places.amqp_url, "DATABASE_URL": places.database_url}
    command = ["sh", "-c", f'ulimit -n {files}; exec "$0" -m gateway', sys.executable]
    with (tmp_path / "log").open("wb") as log:
        gateway = await asyncio.create_subprocess_exec(*command, env=given, cwd=tmp_path, stdout=log, stderr=log)
    try:
        await eventually(lambda: _ready(port), within=120)
        silent = [await _line(port, b"") for _ in range(connections)]

        assert await _ready(port)
        assert 1 == (tmp_path / "log").read_text().count("connections_full")
        _close(*silent)
    finally:
        gateway.kill()
        await gateway.wait()


async def test_many_large_bodies_that_do_not_end_leave_room_for_small_ones(running: Running) -> None:
    """
    What comes after the bound is told to come again, and what is given up is forgotten.
    """
    arriving = running.room.listener._runner.app[ARRIVING]
    arriving.most_bytes = 100_000
    head = (
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n"
    )
    lines = [await _line(running.port, head + b"\r\n" + b" " * 80_000) for _ in range(3)]
    told = await asyncio.wait_for(
        asyncio.wait([asyncio.ensure_future(line[0].readuntil(b"}")) for line in lines], return_when="FIRST_COMPLETED"),
        60,
    )
    _close(*lines)
    await eventually(lambda: arriving.held_bytes == 0)

    assert b"HTTP/1.1 503 " in told[0].pop().result()
    await running.submit()


class Counted(Database):
    """Counts what is read."""

    reads = 0

    async def read(self, query: str | ClauseElement, *arguments: object) -> Sequence[Row]:
        self.reads += 1
        return await super().read(query, *arguments)


async def test_a_thousand_who_wait_cost_one_question_a_look(running: Running) -> None:
    """
    The wait of one more is the clock: in its second there is time for some thirty looks, the first of them 20 ms apart.
    """
    jobs = [UUID((await running.submit())["id"]) for _ in range(11)]
    database = Counted(running.database_url, "test", connections=1, timeout_seconds=10)
    async with running_services([database, waiting := Waiting(database)]):
        await database.now()  # it is connected: that takes a second on a busy machine
        asked = [asyncio.create_task(waiting.until_finished(jobs[n % 10], 60, lambda: False)) for n in range(1_000)]
        await eventually(lambda: database.reads)  # the first look; from then on there is a second
        await waiting.until_finished(jobs[10], 1, lambda: False)
        reads, undone = database.reads, sum(not task.done() for task in asked)
        for job in jobs:
            await running.finish(str(job))
        await asyncio.wait_for(asyncio.gather(*asked), 60)

    assert 1_000 == undone
    assert 0 < reads < 60


async def _line(port: int, said: bytes) -> Line:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    return reader, writer


async def _turned_away(port: int) -> bytes:
    """What a newcomer is told, once all others are in use."""
    reader, writer = await _line(port, b"")
    try:
        return await asyncio.wait_for(reader.read(), 0.3)
    except TimeoutError:
        return b""
    finally:
        writer.close()


async def _ready(port: int) -> bool:
    try:
        reader, writer = await _line(port, b"GET /health/ready HTTP/1.0\r\n\r\n")
    except OSError:
        return False
    try:
        return b" 200 " in await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()


def _close(*lines: Line) -> None:
    for _, writer in lines:
        writer.close()
