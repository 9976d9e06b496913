"""The suppliers of the shop, whose pages its jobs read: a small site on loopback, for as long as the demo lasts.

It answers as suppliers do: mostly at once, sometimes late, now and then that it is busy; and it has a room that is not
for robots.  Whether the workers may read it is for their operator to say, so it is tried before it is used.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

HOST: Final = "127.0.0.1"
PORT: Final = 8808  # a known one, so that WARREN_OUTBOUND_ALLOW can name it before the demo starts
PAGES: Final = 40
FRONT: Final = "/"
CLOSED: Final = "private"
PATIENCE_SECONDS: Final = 10.0
_GOODS: Final = ("kettles", "boots", "lanterns", "umbrellas", "ladders", "blankets", "compasses", "buckets")


class Suppliers:
    """One site; `address` is None while it is not open."""

    def __init__(self, port: int = PORT, seed: int | None = None) -> None:
        self._port, self._dice = port, random.Random(seed)  # noqa: S311 - dice, not a secret
        self._server: asyncio.Server | None = None
        self.address: str | None = None

    async def start(self) -> None:
        """Open, unless the port is somebody else's."""
        with suppress(OSError):
            await self._open()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self._port)
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"{HOST}:{port}"

    async def stop(self) -> None:
        server, self._server, self.address = self._server, None, None
        if server:
            server.close()

    @property
    def front(self) -> str:
        """The address of the page that always answers."""
        return f"http://{self.address}{FRONT}"

    def page(self) -> str:
        """The address of one of its pages, some of them by way of an advertisement."""
        path = CLOSED if self._dice.random() < 0.02 else f"catalogue/{self._dice.randrange(PAGES)}"
        tail = "?utm_source=newsletter" if self._dice.random() < 0.2 else ""
        return f"http://{self.address}/{path}{tail}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head.split(b" ", 2)[1].decode("ascii").partition("?")[0]))
                await writer.drain()
        writer.close()

    async def _answer(self, path: str) -> bytes:
        if path == "/robots.txt":
            return _said(200, f"User-agent: *\nDisallow: /{CLOSED}\n", "text/plain")
        if path == FRONT:
            return _said(200, _page(0))
        await asyncio.sleep(self._dice.expovariate(1 / 0.05))
        if self._dice.random() < 0.03:
            return _said(503, "<title>Busy</title>", extra="Retry-After: 2\r\n")
        _, _, number = path.rpartition("/")
        return _said(200, _page(int(number))) if number.isdigit() else _said(404, "<title>Not here</title>")


@asynccontextmanager
async def trading() -> AsyncIterator[Suppliers]:
    """The suppliers, open if their port is free."""
    suppliers = Suppliers()
    await suppliers.start()
    try:
        yield suppliers
    finally:
        await suppliers.stop()


def _page(number: int) -> str:
    dice = random.Random(number)  # noqa: S311 - the same page each time
    goods = dice.choice(_GOODS)
    told = " ".join(
        f"<p>Our {goods} of model {dice.randrange(100, 999)} weigh {dice.randrange(1, 40)} pounds, come in "
        f"{dice.randrange(2, 9)} colours, and have been made in the same workshop by the river for "
        f"{dice.randrange(10, 200)} years. They leave our house within {dice.randrange(2, 9)} days of the order.</p>"
        for _ in range(4)
    )
    title = f"{goods.title()}, page {number}"
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{title}</title></head><body><nav><a href="/">All goods</a></nav>'
        f"<article><h1>{title}</h1>{told}</article></body></html>"
    )


def _said(status: int, text: str, kind: str = "text/html", extra: str = "") -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n{extra}"
    return f"{head}Connection: close\r\n\r\n".encode() + body
