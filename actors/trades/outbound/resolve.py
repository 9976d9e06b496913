"""Ask for the addresses of a name, on threads of its own.

The loop's own way has a handful of threads for the whole process: names whose servers do not answer would keep it
from finding RabbitMQ again.  Threads that are stuck in a lookup must not keep the process from ending either.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Final, Protocol

from actors.attempts.threads import Threads
from actors.trades.outbound.failures import Unreachable
from wire.reach import Address

THREADS: Final = 16
MOST_ADDRESSES: Final = 64  # of a name; the public web's largest have a dozen


class Resolver(Protocol):
    """Tests have one that changes its mind."""

    async def __call__(self, host: str) -> tuple[Address, ...]: ...


class SystemResolver:
    """As this machine is set up: its hosts file, its name servers.

    Whoever asks for a name that is being asked for waits for the same answer, so that one slow name holds one thread.
    """

    def __init__(self) -> None:
        self._threads: Threads | None = None
        self._asked: dict[str, asyncio.Future[tuple[Address, ...]]] = {}

    async def __call__(self, host: str) -> tuple[Address, ...]:
        asked = self._asked.get(host)
        if asked is None:
            asked = self._ask(host)
        found = await asyncio.shield(asked)  # others wait for it too
        if not found:
            raise Unreachable(f"{host} has no address: no name server knows it, or none answers")
        return found

    def stop(self) -> None:
        threads, self._threads = self._threads, None
        if threads:
            threads.stop()

    def _ask(self, host: str) -> asyncio.Future[tuple[Address, ...]]:
        self._threads = self._threads or Threads(THREADS)
        asked = self._asked[host] = asyncio.get_running_loop().create_future()
        found: list[tuple[Address, ...]] = []

        def heard() -> None:
            del self._asked[host]
            asked.set_result(found[0] if found else ())

        self._threads.run(lambda: found.append(_lookup(host)), heard)
        return asked


def _lookup(host: str) -> tuple[Address, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(ip_address(str(place[0]).partition("%")[0]) for *_, place in found))[:MOST_ADDRESSES]
