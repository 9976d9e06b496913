"""Connections that are kept for the next request to the same scheme, host and port, all judged by one judge.

Each origin has a pool of its own: the library looks through all connections of a pool, and asks the kernel about those
that are idle, several times a request, which with dozens of hosts is more than the rest of a request takes.

A request that meets a kept connection just as its server closes it is made once more, on another one, if to make it
twice does no harm.  An answer over HTTP/2 that is given up half way takes its connections with it: nothing would tell
the server to stop, and what it still sends would use up the room of all that come after.
"""

from __future__ import annotations

import contextlib
import itertools
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Any, Final

import httpcore
from h2.exceptions import DenialOfServiceError, H2Error

from actors.trades.outbound.answer import Answer, Room, answered
from actors.trades.outbound.failures import TooLarge, TooSlow, Unreachable
from actors.trades.outbound.line import CONNECT_SECONDS
from actors.trades.outbound.request import Request

REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
MOST_CONNECTIONS: Final = 100  # to one origin
KEPT_CONNECTIONS: Final = 10  # of these, when idle
KEPT_ORIGINS: Final = 128  # of which idle connections are kept
KEPT_SECONDS: Final = 15.0  # servers of today close theirs after 5 to 75

TIDIED: Final = 4  # that are looked at after each request

Broken = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    H2Error,
    OSError,
    ValueError,
)  # ValueError: a status in letters


class Watch:
    """What the pool tells of one try: the way it goes, and how far it has come."""

    def __init__(self) -> None:
        self.connected, self.http2, self.step = False, False, "connect"

    async def __call__(self, name: str, _: dict[str, Any]) -> None:
        part, step = name.split(".", 1)
        if step.endswith(".started"):
            self.step = step.removesuffix(".started")
            self.connected = self.connected or self.step == "connect_tcp"
            self.http2 = self.http2 or part == "http2"

    @property
    def again(self) -> bool:
        """Whether the connection may have been a victim of what it was used for before."""
        return (self.http2 or not self.connected) and self.step != "receive_response_body"


class Origin:
    """One scheme, host and port."""

    def __init__(self, line: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext) -> None:
        self.connections = httpcore.AsyncConnectionPool(
            ssl_context=tls, http2=True, max_connections=MOST_CONNECTIONS, max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS, network_backend=line,
        )  # fmt: skip
        self.users, self.used_at = 0, 0.0

    async def give_up(self) -> None:
        """Close what speaks HTTP/2; whoever else uses it has another chance."""
        for connection in self.connections.connections:
            if "HTTP/2" in connection.info():
                with contextlib.suppress(*Broken):
                    await connection.aclose()


class Pool:
    """One judge's connections."""

    def __init__(self, line: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext) -> None:
        self._line, self._tls = line, tls
        self._origins: OrderedDict[tuple[str, str, int], Origin] = OrderedDict()  # the one used last is the last

    async def stop(self) -> None:
        while self._origins:
            await self._origins.popitem()[1].connections.aclose()

    async def ask(self, asked: Request, extra: dict[str, str], room: Room) -> Answer:
        """The answer to this; one of the failures if there is none that can be read."""
        place = asked.target.place
        for chances in (1, 0):
            watch = Watch()
            try:
                return await self._once(asked, extra, room, watch)
            except httpcore.TimeoutException:
                raise TooSlow(f"{place} did not answer in time") from None
            except Broken as e:
                if _floods(e):
                    raise TooLarge(f"{place} answered with more headers than are taken") from None
                if not (chances and watch.again and asked.method in REPEATABLE):
                    raise Unreachable(f"{place}: {_told(e)}") from None
        raise AssertionError("the last chance has an end")

    async def _once(self, asked: Request, extra: dict[str, str], room: Room, watch: Watch) -> Answer:
        async with self._origin(asked.target.origin) as origin:
            whole = False
            try:
                request = asked.wired(extra, CONNECT_SECONDS, watch)
                response = await origin.connections.handle_async_request(request)
                try:
                    answer = await answered(response, asked.method, asked.target.place, room)
                    whole = answer.whole
                finally:
                    await response.aclose()
                return answer
            finally:
                if watch.http2 and not whole:
                    await origin.give_up()

    @contextlib.asynccontextmanager
    async def _origin(self, key: tuple[str, str, int]) -> AsyncIterator[Origin]:
        origin = self._origins.get(key)
        if origin is None:
            origin = self._origins[key] = Origin(self._line, self._tls)
        self._origins.move_to_end(key)
        origin.users += 1
        try:
            yield origin
        finally:
            origin.users -= 1
            origin.used_at = time.monotonic()
            await self._tidy(origin.used_at)

    async def _tidy(self, now: float) -> None:
        """Close what nobody has used for a while, and the oldest of what is too much."""
        surplus = len(self._origins) - KEPT_ORIGINS
        for key, origin in list(itertools.islice(self._origins.items(), max(surplus, TIDIED))):
            if not origin.users and (surplus > 0 or now - origin.used_at > KEPT_SECONDS):
                del self._origins[key]
                surplus -= 1
                await origin.connections.aclose()


def _floods(error: Exception) -> bool:
    """Whether headers were too many; the libraries have bounds of their own below ours."""
    cause = error.args[0] if error.args else None
    return (
        isinstance(error, DenialOfServiceError) or isinstance(cause, DenialOfServiceError) or "too long" in str(error)
    )


def _told(error: Exception) -> str:
    """Why, in the words of whoever noticed."""
    return str(error)[:200] or "the connection was closed before the answer was there"
