"""A server that speaks HTTP/2 over TLS for one test, well or badly; its certificate is for `localhost`."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import h2.config
import h2.connection
import h2.events

from tests import certificates
from tests.room.actors.outbound_server import closing, ended

Reply = Callable[["Spoken", int, str], Awaitable[None]]
Headers = list[tuple[str, str]]


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server shows, and what a client trusts."""
    server, client = certificates.certified(folder, "localhost")
    server.set_alpn_protocols(["h2"])
    return server, client


class Spoken:
    """One connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        config = h2.config.H2Configuration(
            client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.h2 = h2.connection.H2Connection(config)
        self.room = asyncio.Event()

    async def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())
        await self.writer.drain()

    async def answer(self, stream: int, body: bytes = b"", *headers: tuple[str, str], end: bool = True) -> None:
        self.h2.send_headers(stream, [(":status", "200"), *headers])
        self.h2.send_data(stream, body, end_stream=end)
        await self.flush()

    async def pour(self, stream: int) -> None:
        """Without an end, as fast as the other side makes room."""
        while True:
            self.room.clear()
            while (most := min(self.h2.local_flow_control_window(stream), 16_384)) > 0:
                self.h2.send_data(stream, bytes(most))
                await self.flush()
            await self.room.wait()


class Http2Server:
    """Listens on loopback."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.connections = 0
        self.paths: list[str] = []
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def _mine(self, task: asyncio.Task[None] | None) -> None:
        assert task is not None
        self._tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._mine(asyncio.current_task())
        spoken = Spoken(writer)
        async with closing(writer):
            spoken.h2.initiate_connection()
            await spoken.flush()
            while said := await reader.read(65_536):
                for event in spoken.h2.receive_data(said):
                    if isinstance(event, h2.events.RequestReceived):
                        assert event.stream_id is not None
                        path = dict(event.headers or [])[b":path"].decode()
                        self.paths.append(path)
                        self._mine(asyncio.create_task(self._answer(spoken, event.stream_id, path)))
                    elif isinstance(event, h2.events.WindowUpdated):
                        spoken.room.set()
                await spoken.flush()

    async def _answer(self, spoken: Spoken, stream: int, path: str) -> None:
        with contextlib.suppress(ConnectionError, h2.exceptions.ProtocolError):
            await self._reply(spoken, stream, path)

    @contextlib.asynccontextmanager
    async def listening(self, tls: ssl.SSLContext) -> AsyncIterator[Http2Server]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            await ended(self._tasks, server)
