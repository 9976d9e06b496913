"""HTTP/1.1 by hand: a site that misbehaves has to be able to say what no server library would let it say.

One handler per first part of a path.  It returns an answer, or speaks on the wire itself and returns nothing: the
connection then ends.  Every request becomes one line of the log, written when it has been answered or given up.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.site.asked import Asked

TOLD = ("user-agent", "accept-encoding", "if-none-match", "if-modified-since", "traceparent", "authorization", "cookie")
MOST_HEADER_BYTES = 64 * 1024
REASONS = {200: "OK", 301: "Moved", 302: "Found", 304: "Not Modified", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    address: str  # the one of ours that was connected to

    @property
    def host(self) -> str:
        """As the asker names us."""
        return self.headers.get("host", self.address)

    @property
    def base(self) -> str:
        return f"http://{self.host}"

    @property
    def parts(self) -> list[str]:
        return [unquote(part) for part in self.path.split("/") if part]

    def number(self, name: str, default: float) -> float:
        return float(self.query.get(name, default))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[Answer | None]]


def html(text: str, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Answer(status, {"Content-Type": "text/html; charset=utf-8"} | named, text.encode())


class Server:
    """All hosts of the site on one port; `latency` is added to every answer."""

    def __init__(self, handlers: Mapping[str, Handler], log: Path, latency: float = 0) -> None:
        self._handlers, self._log_path, self._latency = handlers, log, latency
        self._log: IO[str] | None = None
        self._servers: list[asyncio.Server] = []

    async def start(self, addresses: list[str], port: int = 0) -> int:
        """The port, the same at every address; an OSError when one of them has it taken."""
        self._log = self._log_path.open("a", buffering=1)
        for address in addresses:
            server = await asyncio.start_server(self._serve, address, port, limit=MOST_HEADER_BYTES, backlog=512)
            self._servers.append(server)
            port = int(server.sockets[0].getsockname()[1])
        return port

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        if self._log:
            self._log.close()
            self._log = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled only when the site stops: there is nobody left to tell
        with suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            address = writer.get_extra_info("sockname")[0]
            while (request := await _read(reader, address)) is not None:
                if not await self._answer(request, writer):
                    break
        writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        at, began = time.time(), time.monotonic()
        answer = None
        try:
            if self._latency:
                await asyncio.sleep(self._latency)
            handler = self._handlers.get(request.parts[0] if request.parts else "", _nothing)
            answer = await handler(request, writer)
        finally:
            self._note(request, at, began, answer)  # before the bytes leave: who was answered finds itself in the log
        if answer is None:
            return False
        writer.write(_written(answer, head=request.method == "HEAD"))
        await writer.drain()
        return request.headers.get("connection", "").lower() != "close"

    def _note(self, request: Request, at: float, began: float, answer: Answer | None) -> None:
        told = {name: value for name, value in request.headers.items() if name in TOLD}
        status, size = (answer.status, len(answer.body)) if answer else (0, 0)
        asked = Asked(
            request.host, request.address, request.method, request.path, dict(request.query), told, status, size, at,
            began, time.monotonic(),
        )  # fmt: skip
        if self._log:
            self._log.write(json.dumps(asked.told()) + "\n")


async def _read(reader: asyncio.StreamReader, address: str) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    asked = urlsplit(target)
    return Request(method, asked.path or "/", dict(parse_qsl(asked.query, True)), headers, body, address)


def _written(answer: Answer, *, head: bool) -> bytes:
    headers: dict[str, Any] = {"Server": "site", "Content-Length": len(answer.body)} | dict(answer.headers)
    if answer.status in (204, 304):
        del headers["Content-Length"]
    lines = [
        f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Said')}",
        *(f"{k}: {v}" for k, v in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (b"" if head else answer.body)


async def _nothing(request: Request, writer: asyncio.StreamWriter) -> Answer:
    return html("<title>Not here</title><p>There is no such document.</p>", 404)
