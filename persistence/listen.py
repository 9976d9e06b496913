"""Listen for jobs that come by the SQL door: Postgres notifies when the transaction that submitted them has committed.

On a connection of its own, because a subscription lives in a session; so it cannot be had through a PgBouncer in
transaction mode.  Every new connection counts as news: nobody knows what was said meanwhile.
A notification only makes things faster; what is lost, the sweep's poll finds.  So an outage is logged and waited out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from persistence.database import Database
from wire.backoff import waits
from wire.errors import DatabaseUnavailable
from wire.lifecycle import lasting, pause

log = structlog.get_logger()

CHANNEL: Final = "warren_outbox"  # as warren.submit() notifies
PROOF_SECONDS: Final = 15.0  # a connection whose other end has vanished is noticed by using it


class Listener:
    """Calls `heard` when there may be new rows in the outbox."""

    def __init__(self, database: Database, heard: Callable[[], None]) -> None:
        self._database, self._heard = database, heard
        self._stopped, self._lost = asyncio.Event(), asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self.connections = 0

    async def start(self) -> None:
        self._loop = lasting(self._work(), "sql door")

    async def stop(self) -> None:
        self._stopped.set()
        self._lost.set()
        if self._loop:
            await self._loop

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
        async with self._database.session("warren listener") as connection:
            self._lost.clear()
            connection.add_termination_listener(lambda _: self._lost.set())
            await connection.add_listener(CHANNEL, lambda *_: self._heard())
            self.connections += 1
            self._heard()
            while not self._stopped.is_set() and not await pause(self._lost, PROOF_SECONDS):
                await connection.execute("SELECT 1")
