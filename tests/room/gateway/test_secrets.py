"""Nothing that Warren writes or shows has a secret in it: API keys, wrong ones too, and the passwords of both stores.

Looked for in what the processes log at their most talkative, in what they answer, in their arguments, in what RabbitMQ
knows of their connections and messages, and in every row that they store.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
import pytest

from deploy.machine.ports import free_ports
from deploy.servers.rabbitmq import manage
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.gateway.calling import calling, refused
from tests.room.gateway.running import ECHO, JOBS, sql
from wire.settings import Stores

pytestmark = pytest.mark.asyncio

ROOT = Path(__file__).parents[3]
MARK = secrets.token_hex(8)  # part of every secret here, and of nothing else
KEY, OTHER_KEY, WRONG_KEY, PASSWORD = f"key-{MARK}", f"other-{MARK}", f"wrong-{MARK}", f"p@s/s:{MARK}#%"
BASIC = base64.b64encode(f"me:{KEY}".encode()).decode()
ROLES = ("gateway", "persistence", "scheduler", "actors")
COMERS = [
    ("", {"X-API-Key": KEY}),
    ("", {"Authorization": f"Bearer {OTHER_KEY}"}),
    ("", {}),
    ("", {"X-API-Key": WRONG_KEY}),
    ("", {"Authorization": f"Bearer {WRONG_KEY}"}),
    ("", {"Authorization": f"Basic {BASIC}"}),
    ("", {"Authorization": KEY}),
    ("", {"Cookie": f"key={KEY}"}),
    (f"?api_key={KEY}", {}),
    (f"?api_key={KEY}", {"X-API-Key": KEY}),
    (f"?{KEY}=1", {"X-API-Key": WRONG_KEY}),
]
BROKEN_REQUESTS = [
    f"GET {JOBS} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\x01\r\n\r\n",
    f"GET {JOBS} HTTP/1.1\r\nHost: localhost\r\nX-API-Key {KEY}\r\n\r\n",
    f"GET {JOBS}?key={KEY} HTTP/7.9\r\nHost: localhost\r\n\r\n",
]
Start = Callable[..., "Talkative"]


@dataclass(frozen=True, slots=True)
class Talkative:
    """A process that logs all it can, into a file."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def arguments(self) -> str:
        return Path(f"/proc/{self.process.pid}/cmdline").read_text()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process of Warren; all are stopped at the end."""
    started: list[Talkative] = []

    def begin(role: str, **settings: str) -> Talkative:
        log = tmp_path / f"{role}-{len(started)}.log"
        own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "WARREN_LOG_LEVEL": "DEBUG",
               "WARREN_LOG_FORMAT": "json", "WARREN_PROCESSES": "1", "WARREN_GRPC_PORT": "0"}  # fmt: skip
        with log.open("wb") as to:
            process = subprocess.Popen(
                [sys.executable, "-m", role], cwd=tmp_path, env={**own, **settings}, stdout=to, stderr=to
            )
        started.append(Talkative(process, log))
        return started[-1]

    yield begin
    for one in started:
        one.process.kill()  # a child dies with its parent
    for one in started:
        one.process.wait(30)


async def test_a_key_goes_no_further_than_the_door(start: Start, stores: Stores, places: Places) -> None:
    port, grpc_port = free_ports(["http", "grpc"], {}).values()
    urls = {"AMQP_URL": places.amqp_url, "DATABASE_URL": places.database_url, "WARREN_GRPC_PORT": str(grpc_port)}
    gateway = start("gateway", **urls, WARREN_PORT=str(port), WARREN_API_KEYS=f"{KEY},{OTHER_KEY}")
    await _listens(port)
    answers = [await _call(port, query, headers) for query, headers in COMERS]
    answers += [await _say(port, request) for request in BROKEN_REQUESTS]
    async with calling(grpc_port) as caller:
        metadata = [(("x-api-key", key),) for key in (KEY, WRONG_KEY)]
        told = [await refused(caller.raw("GetJob", b"\x0a\x01x", metadata=given)) for given in metadata]
    answers += [str(one) for one in told]
    shown = await eventually(lambda: _broker_shows(places))
    rows = await _all_rows(places.database_url)

    assert 2 == sum("HTTP 202" in answer for answer in answers)
    assert ["INVALID_ARGUMENT", "UNAUTHENTICATED"] == [one.code for one in told]
    assert "request" in gateway.said()
    for told in (*answers, gateway.said(), gateway.arguments(), shown, rows):
        assert MARK not in told
        assert BASIC not in told


@pytest.mark.parametrize("why", ["refused", "nobody there"])
async def test_a_password_is_not_told_when_its_store_is_away(
    start: Start, places: Places, why: str, long: bool
) -> None:
    """
    Wrong passwords, and ports where nobody listens; in the short form each process meets one of the two.
    """
    half = ROLES[:2] if why == "refused" else ROLES[2:]
    port, closed = free_ports(["http", "closed"], {}).values()
    at = None if why == "refused" else closed
    urls = {"AMQP_URL": _secretly(places.amqp_url, at), "DATABASE_URL": _secretly(places.database_url, at)}
    started = [start(role, **urls, WARREN_PORT=str(port)) for role in (ROLES if long else half)]
    for one in started:
        await eventually(lambda one=one: "away" in one.said(), within=120)
    if "gateway" in half or long:
        answer = await _call(port, "", {})
        assert "HTTP 503" in answer
        assert MARK not in answer

    for one in started:
        assert MARK not in one.said() + one.arguments()


async def test_a_secret_that_is_no_setting_is_not_repeated(start: Start) -> None:
    wrong = {
        "AMQP_URL": f"http://me:{MARK}@localhost/",
        "DATABASE_URL": f"postgresql://me:a/{MARK}@localhost/x",
        "WARREN_API_KEYZ": KEY,
        "WARREN_MINIO_SECRET": KEY,
    }
    gateway = start("gateway", **wrong)
    code = await asyncio.to_thread(gateway.process.wait, 120)

    assert (2, 4) == (code, len(gateway.said().splitlines())), gateway.said()
    assert MARK not in gateway.said()


def _secretly(url: str, port: int | None) -> str:
    """The same place, or another, with a password that is wrong and full of signs that an address must escape."""
    parts = urlsplit(url)
    where = f"{parts.hostname}:{port or parts.port}"
    return parts._replace(netloc=f"{parts.username}:{quote(PASSWORD, safe='')}@{where}").geturl()


async def _listens(port: int) -> None:
    async def answers() -> bool:
        try:
            return "HTTP 200" in await _call(port, "", {}, "GET", "/health/ready")
        except OSError:
            return False

    await eventually(answers, within=120)


async def _call(port: int, query: str, headers: dict[str, str], method: str = "POST", path: str = JOBS) -> str:
    """Everything that comes back."""
    url = f"http://127.0.0.1:{port}{path}{query}"
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, url, json=ECHO if method == "POST" else None, headers=headers) as answer,
    ):
        return f"HTTP {answer.status} {dict(answer.headers)} {await answer.text()}"


async def _say(port: int, request: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return answer.decode()


async def _broker_shows(places: Places) -> str | None:
    """Who is connected, and the two messages that found no worker; nothing until all of it is there."""
    vhost = quote(places.vhost, safe="")
    get = {"count": 10, "ackmode": "ack_requeue_true", "encoding": "auto"}
    connections = await asyncio.to_thread(manage, places.management_url, "GET", f"vhosts/{vhost}/connections")
    messages = await asyncio.to_thread(
        manage, places.management_url, "POST", f"queues/{vhost}/unrouted/get", {**get, "truncate": 50_000}
    )
    complete = len(json.loads(messages)) == 2 and b"warren gateway" in connections
    return (connections + messages).decode() if complete else None


async def _all_rows(database_url: str) -> str:
    tables = await sql(
        database_url, "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'warren'"
    )
    found = [await sql(database_url, f"SELECT t::text AS row FROM {table['name']} t") for table in tables]
    return "\n".join(record["row"] for records in found for record in records)
