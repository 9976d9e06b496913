"""The world as an attacker would like it: a machine that must never be reached, and a public one that sends us there.

No packet leaves this machine.  What is public is behind a proxy that answers for it, and which sees every address that
anybody wants to connect to; so a request that gets past the judge is seen, wherever it was to go.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address

from actors.trades.outbound.resolve import SystemResolver
from tests.room.actors.outbound_server import closing, ended
from wire.reach import Address

PUBLIC = "93.184.216.34"
PUBLIC_V6 = "2606:2800:220:1:248:1893:25c8:1946"
SITE = "site.test"
Site = Callable[[str, str], bytes]  # method and path → the whole answer


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Names:
    """A resolver that knows some names, may change its mind, and asks this machine for all others."""

    def __init__(self, **known: str) -> None:
        self._known = {
            name.replace("_", "."): [turn.split("+") for turn in said.split(",")] for name, said in known.items()
        }
        self._system = SystemResolver()
        self.asked: list[str] = []

    async def __call__(self, host: str) -> tuple[Address, ...]:
        self.asked.append(host)
        turns = self._known.get(host)
        if turns is None:
            return await self._system(host)
        turn = turns.pop(0) if len(turns) > 1 else turns[0]
        return tuple(ip_address(address) for address in turn)

    def stop(self) -> None:
        self._system.stop()


class World:
    """What listens, and who came."""

    def __init__(self) -> None:
        self.port, self.proxy = 0, ""
        self.reached: list[str] = []  # what must not be: requests at the machine inside, and at the proxy for others
        self.heads: list[str] = []  # of what the public site was asked
        self.proxy_heads: list[str] = []
        self.connects: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.site: Site = lambda method, path: answer("200 OK", body=b"public")

    async def inside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached.append("a connection")
        self._served()
        async with closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.reached[-1] = head
            writer.write(answer("200 OK", body=b"the crown jewels"))
            await writer.drain()

    async def outside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served()
        async with closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            place = head.split()[1]
            self.connects.append(place)
            self.proxy_heads.append(head)
            if place.rpartition(":")[0].strip("[]") not in (PUBLIC, PUBLIC_V6):
                self.reached.append(head)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                self.heads.append(head)
                writer.write(self.site(*head.split()[:2]))
                await writer.drain()

    def _served(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A world of one test."""
    one = World()
    servers = [await asyncio.start_server(whom, "127.0.0.1", 0) for whom in (one.inside, one.outside)]
    one.port, proxy_port = (server.sockets[0].getsockname()[1] for server in servers)
    one.proxy = f"http://127.0.0.1:{proxy_port}"
    with contextlib.suppress(OSError):  # a machine without IPv6
        servers.append(await asyncio.start_server(one.inside, "::1", one.port))
    try:
        yield one
    finally:
        await ended(one.tasks, *servers)
