"""A TCP line that can fall silent: what is sent stays in it, nothing is answered, nothing is closed.

As a cut network looks, or a host that has lost its power, or a frozen server; quicker than to freeze a real one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit


class Line:
    """One listening port, and behind it a server."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._sound = asyncio.Event()
        self._sound.set()
        self._pipes: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._port = 0

    @property
    def url(self) -> str:
        """The server's address, by way of this line."""
        login = self._parts.netloc.rpartition("@")[0]
        return urlunsplit(self._parts._replace(netloc=f"{login}@127.0.0.1:{self._port}"))

    def fall_silent(self) -> None:
        self._sound.clear()

    def sound_again(self) -> None:
        self._sound.set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        self._writers += [writer, far_writer]
        for source, target in ((reader, far_writer), (far_reader, writer)):
            pipe = asyncio.create_task(self._pipe(source, target))
            self._pipes.add(pipe)
            pipe.add_done_callback(self._pipes.discard)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Line]:
        server = await asyncio.start_server(self.take, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        pipes = list(self._pipes)
        for pipe in pipes:
            pipe.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*[writer.wait_closed() for writer in self._writers], return_exceptions=True)

    async def _pipe(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while said := await source.read(65_536):
                await self._sound.wait()
                target.write(said)
                await target.drain()
        target.close()
