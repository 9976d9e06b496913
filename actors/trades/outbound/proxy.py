"""The proxy by which all requests go, if there is one: it is asked to connect to a judged address, never to a name.

So the proxy cannot be made to look elsewhere, and sees where http goes as little as where https goes.  It has to allow
CONNECT to the ports that jobs may reach.  Its own address is the operator's affair and is not judged.
"""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import unquote, urlsplit

import httpcore

from actors.trades.outbound.failures import Unreachable
from wire.reach import Address

MOST_SAID: Final = 16_384  # bytes of its answer
_network: Final = httpcore.AnyIOBackend()


class Proxy:
    """One HTTP proxy."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 3128
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
        said = base64.b64encode(login).decode()
        self._login = f"Proxy-Authorization: Basic {said}\r\n" if parts.username else ""

    async def connect(self, address: Address, port: int, seconds: float) -> httpcore.AsyncNetworkStream:
        """A connection through it."""
        place = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
        stream = await _network.connect_tcp(self._host, self._port, seconds)
        try:
            request = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{self._login}\r\n"
            await stream.write(request.encode("ascii"), seconds)
            status = await _status(stream, seconds)
        except BaseException:
            await stream.aclose()
            raise
        if not 200 <= status < 300:
            await stream.aclose()
            raise Unreachable(f"the proxy of WARREN_OUTBOUND_PROXY answered {status} to CONNECT")
        return stream


async def _status(stream: httpcore.AsyncNetworkStream, seconds: float) -> int:
    """Of its answer; nothing follows the empty line before we have said something."""
    said = b""
    while b"\r\n\r\n" not in said:
        piece = await stream.read(4_096, seconds)
        said += piece
        if not piece or len(said) > MOST_SAID:
            raise Unreachable("the proxy of WARREN_OUTBOUND_PROXY does not answer CONNECT as a proxy does")
    words = said.split(b"\r\n", 1)[0].split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
