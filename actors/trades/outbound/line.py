"""Connect to an address that was judged, and to that very one: nothing asks for the name again in between.

The connection pool calls this with a host and a port.  What it gets knows whether only the allow-list let it through,
which is what a redirect may inherit.  With a proxy the judged address is what the proxy is asked to connect to.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any, Final

import httpcore

from actors.trades.outbound.failures import TooSlow, Unreachable
from actors.trades.outbound.judge import Judge
from actors.trades.outbound.proxy import Proxy
from actors.trades.outbound.resolve import Resolver
from wire.reach import Address

LISTED: Final = "warren.listed"
CONNECT_SECONDS: Final = 10.0  # to all addresses of a name together
MOST_TRIED: Final = 4

_network: Final = httpcore.AnyIOBackend()


class Line(httpcore.AsyncNetworkBackend):
    """What the pool calls the network."""

    def __init__(self, judge: Judge, resolve: Resolver, proxy: Proxy | None) -> None:
        self._judge, self._resolve, self._proxy = judge, resolve, proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await self._addresses(host)
                listed = self._judge.addresses(host, port, found)
                return Connected(await self._first(host, found[:MOST_TRIED], port), listed)
        except TimeoutError:
            raise TooSlow(f"no connection to {host} within {CONNECT_SECONDS:g} s") from None

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise NotImplementedError("a job makes no requests to sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str) -> Sequence[Address]:
        try:
            return (ip_address(host),)
        except ValueError:
            return await self._resolve(host)

    async def _first(self, host: str, found: Sequence[Address], port: int) -> httpcore.AsyncNetworkStream:
        """A connection to the first of these that answers; each has its share of the time."""
        share = CONNECT_SECONDS / (len(found) + 1)
        for address in found:
            try:
                if self._proxy:
                    return await self._proxy.connect(address, port, share)
                return await _network.connect_tcp(str(address), port, share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        raise Unreachable(f"{host} does not answer at port {port}")


class Connected(httpcore.AsyncNetworkStream):
    """A connection that knows by what right it exists."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, listed: bool) -> None:
        self._stream, self._listed = stream, listed

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return Connected(await self._stream.start_tls(ssl_context, server_hostname, CONNECT_SECONDS), self._listed)

    def get_extra_info(self, info: str) -> Any:
        return self._listed if info == LISTED else self._stream.get_extra_info(info)
