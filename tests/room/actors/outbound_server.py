"""A server that answers as a test says, byte by byte, and knows what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

Reply = Callable[["Asked"], Awaitable[None]]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


# a test's end is one of these: asyncio would write an error for a task of a server that was cancelled
OVER = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, asyncio.CancelledError)


@contextlib.asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """A connection to its end, whoever hangs up."""
    try:
        with contextlib.suppress(*OVER):
            yield
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def ended(tasks: set[asyncio.Task[None]], *servers: asyncio.Server) -> None:
    """Nobody is listening any more, and nobody is served."""
    for server in servers:
        server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Asked:
    """One request, and the way to answer it."""

    def __init__(self, head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.head, self.body, self.writer = head, body, writer
        self.method, self.path = head.split(" ")[:2]

    def header(self, name: str) -> str | None:
        lines = (line.partition(":") for line in self.head.split("\r\n"))
        return next((value.strip() for key, _, value in lines if key.lower() == name.lower()), None)

    async def send(self, said: bytes) -> None:
        self.writer.write(said)
        await self.writer.drain()

    async def answer(self, status: str = "200 OK", *headers: str, body: bytes = b"") -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        await self.send("\r\n".join(lines).encode("latin-1") + (b"" if self.method == "HEAD" else body))


class Server:
    """Listens on loopback for one test."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.asked: list[Asked] = []
        self.connections = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        async with closing(writer):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").removesuffix("\r\n\r\n")
                asked = Asked(head, b"", writer)
                asked.body = await reader.readexactly(int(asked.header("content-length") or 0))
                self.asked.append(asked)
                await self._reply(asked)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Server]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            await ended(self._tasks, server)


def endless(head: bytes, piece: bytes) -> Reply:
    """Until the other side has had enough; never faster than it takes."""

    async def reply(asked: Asked) -> None:
        await asked.send(head)
        while True:
            await asked.send(piece)

    return reply


def slow(*pieces: bytes) -> Reply:
    """Say this and then a byte now and then, as slowly as it takes not to be called silent."""

    async def reply(asked: Asked) -> None:
        for piece in pieces:
            await asked.send(piece)
        while True:
            await asyncio.sleep(0.02)
            await asked.send(b"a")

    return reply
