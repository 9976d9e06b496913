"""The connections of a process, of which the one that was used last is at hand.

asyncpg's own pool takes a task and three timers to give a connection back, before whoever asked gets its rows: with its
way out 40 µs of the 60 that a small statement costs us, and it is cold code when jobs come one by one.  So a connection
that did its work stays out, for the next who asks; it goes back when somebody waits for one and after an error, and is
ended when it has been idle for so long that it may have died on the way unseen.

Knows no statement and no deadline; database.py has both.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Final

import asyncpg

IDLE_SECONDS: Final = 300.0  # firewalls forget connections that say nothing, and tell neither end


class Pool:
    """At most so many connections, made when they are needed."""

    def __init__(self, url: str, *, connections: int, timeout_seconds: float, session: dict[str, str]) -> None:
        self._pool = asyncpg.create_pool(
            url,
            min_size=1,
            max_size=connections,
            command_timeout=timeout_seconds,
            timeout=timeout_seconds,
            reset=_keep,
            max_queries=2**31,  # a connection that has done much is as good as a new one, which would cost 50 ms
            max_inactive_connection_lifetime=IDLE_SECONDS,
            max_cached_statement_lifetime=0,  # to plan the claim anew every five minutes costs as much
            server_settings=session,
        )
        self._at_hand: list[tuple[float, Any]] = []  # since when; the last one is the first to be used
        self._asking = 0
        self._closing = False

    def drop_dead(self) -> bool:
        """Whether connections have been closed by the server, or on the way, and nobody had met them; told once."""
        known, self._at_hand = self._at_hand, [one for one in self._at_hand if not _is_dead(one[1])]
        return len(self._at_hand) < len(known)

    async def open(self) -> None:
        """Return when the first connection stands."""
        await self._pool

    def take_at_hand(self) -> asyncpg.Connection | None:
        """The connection that was used last, if one is free; whoever takes one gives it back or lets it go."""
        while self._at_hand:
            since, connection = self._at_hand.pop()
            if time.monotonic() - since < IDLE_SECONDS and not _is_dead(connection):
                return connection
            _end(connection)
        return None

    async def take(self) -> asyncpg.Connection:
        """The same; where none is free, a new one or the next that will be."""
        connection = self.take_at_hand()
        if connection is not None:
            return connection
        self._asking += 1
        try:
            return await self._pool.acquire()
        finally:
            self._asking -= 1

    async def give_back(self, connection: asyncpg.Connection) -> None:
        """It has done its work."""
        now = time.monotonic()
        if self._at_hand and now - self._at_hand[0][0] > IDLE_SECONDS:
            _end(self._at_hand.pop(0)[1])  # of a crowd that is over: the one used last is used again
        if self._asking or self._closing or _is_dead(connection):
            await self.let_go(connection)
        else:
            self._at_hand.append((now, connection))

    async def let_go(self, connection: asyncpg.Connection) -> None:
        """Something went wrong with it: what is under way is cancelled, and it is made anew if it is of no use."""
        await self._pool.release(connection)

    async def expire(self) -> None:
        """One of them died, and the others have mostly died with it: each is made anew."""
        while self._at_hand:
            _end(self._at_hand.pop()[1])
        await self._pool.expire_connections()

    def standing(self) -> dict[str, int]:
        """How many there are: in use, at hand, and asked for in vain so far."""
        idle = self._pool.get_idle_size() + len(self._at_hand)
        return {"used": self._pool.get_size() - idle, "idle": idle, "waiting": self._asking}

    async def close(self) -> None:
        """Return when all have been given back and closed."""
        self._closing = True
        while self._at_hand:
            await self.let_go(self._at_hand.pop()[1])
        await self._pool.close()

    def terminate(self) -> None:
        self._pool.terminate()


def _is_dead(connection: asyncpg.Connection) -> bool:
    """Whether it has ended; asyncpg may have taken it back by itself then, and it answers no question any more."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


def _end(connection: asyncpg.Connection) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):  # taken back already
        connection.terminate()


async def _keep(_: asyncpg.Connection) -> None:
    """Nothing to reset: no call of ours leaves state in a session, and the usual reset is a round trip a call."""
