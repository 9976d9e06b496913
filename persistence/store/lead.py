"""Hold a lock of the whole cluster for as long as a connection stands, so that of many one speaks for all.

For what need only be said once.  Nothing may depend on there being only one: a process that was frozen learns late that
its connection, and its lead with it, has gone.
"""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg

from persistence.store.database import Database
from wire.errors import DatabaseUnavailable


class Lead:
    """Tried for again whenever somebody asks."""

    def __init__(self, database: Database, number: int, name: str) -> None:
        self._database, self._number, self._name = database, number, name
        self._asking = asyncio.Lock()
        self._session = contextlib.AsyncExitStack()
        self._connection: asyncpg.Connection | None = None
        self._held = False

    async def start(self) -> None:
        """Nothing to wait for: it is tried for when it is asked about."""

    async def stop(self) -> None:
        self._connection, self._held = None, False
        await self._session.aclose()

    async def held(self) -> bool:
        """Whether this process has it, now; DatabaseUnavailable when Postgres is away."""
        async with self._asking:
            try:
                return await self._ask()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as e:
                await self.stop()
                raise DatabaseUnavailable(f"Postgres is away: {type(e).__name__}: {e}") from e
            except asyncio.CancelledError:  # nobody knows what is under way on it, or whether it still stands
                await self.stop()
                raise

    async def _ask(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            await self.stop()
            self._connection = await self._session.enter_async_context(self._database.session(self._name))
        connection = self._connection
        assert connection is not None
        if self._held:
            await connection.execute("SELECT 1")  # a connection whose other end has vanished is noticed so
        else:
            self._held = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", self._number))
        return self._held
