"""Listen for requests, and let those in flight finish.

aiohttp answers what is not HTTP with plain text of its own; the protocol here answers with a problem like every other
refusal.  A port that is taken or an address that is not ours is a fault of the configuration, told in one sentence.
"""

from __future__ import annotations

import asyncio
import errno
from typing import Any, Final

import structlog
from aiohttp import hdrs, web

from gateway.entrance import door, problems
from gateway.entrance.crowd import Crowd, most_connections
from gateway.entrance.problems import Refusal
from wire.errors import SettingsError
from wire.identity import fresh_id

log = structlog.get_logger()

DRAIN_SECONDS: Final = 15.0  # longer than a database deadline and a broker deadline, one after the other
KEEP_ALIVE_SECONDS: Final = 75.0  # longer than the proxies in front; also how long a request's head may take
LINGER_SECONDS: Final = 2.0
BACKLOG: Final = 1_024


class Listener:
    """The listening socket; its stop waits for requests in flight."""

    def __init__(self, app: web.Application, host: str, port: int, most: int | None = None) -> None:
        self._host, self._port, self._most = host, port, most
        self._runner = web.AppRunner(app, shutdown_timeout=DRAIN_SECONDS)
        self._server: asyncio.Server | None = None
        self._crowd = Crowd(1)

    @property
    def port(self) -> int:
        """The port in use, which the system chose when 0 was asked for."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        await self._runner.setup()
        self._crowd = Crowd(self._most or most_connections())
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._protocol, self._host, self._port, backlog=BACKLOG)
        except OSError as e:
            raise SettingsError([told(e, self._host, self._port)]) from e
        log.info("listening", host=self._host, port=self.port)

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server:
            server.close()
        await self._runner.cleanup()  # runs the application's on_shutdown first, which lets go of those who wait

    def _protocol(self) -> _Protocol:
        assert self._runner.server is not None
        return _Protocol(
            self._crowd,
            self._runner.server,
            loop=asyncio.get_running_loop(),
            auto_decompress=False,  # a compressed body is refused by its header, never unpacked
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=LINGER_SECONDS,
        )


class _Protocol(web.RequestHandler):
    """aiohttp's protocol; what it cannot read is answered with a problem, and who is too many is told so."""

    __slots__ = ("_crowd",)

    def __init__(self, crowd: Crowd, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._crowd = crowd

    @property
    def idle(self) -> bool:
        """Whether it waits for a request, or for the rest of one's head."""
        return self._waiter is not None and not self._waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._crowd.admits(self):
            assert isinstance(transport, asyncio.Transport)
            transport.write(_turned_away())
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._crowd.leave(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        request_id = door.request_id_of(request)
        if status == 500:
            log.error("request_failed", request_id=request_id, exc_info=exc)
            refusal = Refusal("internal", "the request failed")
        else:
            log.info("not_http", request_id=request_id, error=type(exc).__name__)
            refusal = Refusal("bad_http", (message or "this is not an HTTP request").partition("\n")[0][:200])
        response = problems.answer(refusal, request_id)
        door.stamp(response, request_id)
        response.force_close()
        return response


def _turned_away() -> bytes:
    """A whole answer; no request is waited for."""
    refusal = Refusal("unavailable", "there are too many connections, and all are in use", remedy="send it again")
    response = problems.answer(refusal, fresh_id().hex)
    lines = [
        "HTTP/1.1 503 Service Unavailable", f"Content-Type: {problems.CONTENT_TYPE}", "Connection: close",
        f"{hdrs.RETRY_AFTER}: {door.RETRY_AFTER_SECONDS}", f"{hdrs.CONTENT_LENGTH}: {response.content_length}",
    ]  # fmt: skip
    assert isinstance(response.body, bytes)
    return "\r\n".join([*lines, "", ""]).encode() + response.body


def told(error: OSError, host: str, port: int, setting: str = "WARREN_PORT") -> str:
    """What is wrong with this address, in one sentence."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; stop what listens there or set {setting} to another"
    if error.errno == errno.EACCES:
        return f"port {port} may not be opened by this user; set {setting} to one above 1023"
    return f"WARREN_HOST {host} cannot be listened on: {error.strerror or error}"
