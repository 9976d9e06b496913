"""A site on loopback with a log of who asked when, and a job that visits it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from actors.job import job
from actors.trades.politeness.visit import visit
from tests.room.actors.running import Named

Answer = tuple[int, str, bytes]  # status, headers, body
NOTHING: Answer = (404, "", b"")


@dataclass
class Site:
    """What it answers by path, and what it was asked: when, and for which path."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)  # seconds until the answer
    asked: list[tuple[float, str]] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def paths(self) -> list[str]:
        return [path for _, path in self.asked]

    @property
    def gaps(self) -> list[float]:
        """From an answer to the request after it."""
        return [asked - before for before, (asked, _) in zip(self.answered, self.asked[1:], strict=False)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.split()[1].decode(), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        self.asked.append((time.monotonic(), path))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.slow.get(path, 0.0))
        status, headers, body = self.answers.get(path, (200, "", path.encode()) if path != "/robots.txt" else NOTHING)
        self.at_once -= 1
        self.answered.append(time.monotonic())
        writer.write(f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    one = Site()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield one
    finally:
        server.close()


def visits(seen: list[tuple[str, int]]) -> Callable[[], None]:
    """Declares a job that visits the URL in its payload and notes what it got."""

    def declare() -> None:
        @job("visit", max_retries=3, retry_base_seconds=0.2)
        async def one_visit(payload: Named) -> int:
            """Visit what is named."""
            document = await visit(payload.name)
            seen.append((payload.name, document.status))
            return document.status

    return declare
