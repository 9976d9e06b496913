"""Listen for rows that are to become messages: Postgres notifies when the transaction that wrote them has committed.

Jobs that come by the SQL door are announced so, and replies, and schedules that somebody has changed.

On a connection of its own, because a subscription lives in a session; so it cannot be had through a PgBouncer in
transaction mode.  Every new connection counts as news: nobody knows what was said meanwhile.
A notification only makes things faster; what is lost, the sweep's poll finds.  So an outage is logged and waited out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from persistence.store.database import Database
from wire.errors import DatabaseUnavailable
from wire.lifecycle import ended, lasting, pause
from wire.rabbitmq.backoff import waits
from wire.signature import signature

log = structlog.get_logger()

OUTBOX: Final = "warren_outbox"  # as warren.submit() notifies
REPLIES: Final = "warren_replies"  # as a trigger on the replies does
SCHEDULES: Final = "warren_schedules"  # as the statements do that make, change, resume or delete one
GRACE_SECONDS: Final = 1.0  # to leave Postgres politely; it may be away
PROOF_SECONDS: Final = 15.0  # a connection whose other end has vanished is noticed by using it


class Listener:
    """Calls what belongs to a channel when there may be news in it."""

    def __init__(self, database: Database, heard: Mapping[str, Callable[[], None]]) -> None:
        self._database, self._heard = database, heard
        self._stopped, self._lost = asyncio.Event(), asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self.connections = 0

    async def start(self) -> None:
        self._loop = lasting(self._work(), "listener")

    async def stop(self) -> None:
        self._stopped.set()
        self._lost.set()
        await ended(self._loop, GRACE_SECONDS)

    async def _work(self) -> None:
        pauses = waits()
        while not self._stopped.is_set():
            before = self.connections
            try:
                await self._listen()
            except DatabaseUnavailable as e:
                log.warning("listener_away", error=str(e))
            if self.connections > before:
                pauses = waits()
            await pause(self._stopped, next(pauses))

    async def _listen(self) -> None:
        """For as long as the connection stands."""
        async with self._database.session(signature("listener")) as connection:
            self._lost.clear()
            connection.add_termination_listener(lambda _: self._lost.set())
            for channel in self._heard:
                await connection.add_listener(channel, lambda _, __, said, ___: self._heard[said]())
            self.connections += 1
            for wake in self._heard.values():
                wake()
            while not self._stopped.is_set() and not await pause(self._lost, PROOF_SECONDS):
                await connection.execute("SELECT 1")
