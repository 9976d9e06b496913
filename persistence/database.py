"""One pool of Postgres connections a process, with a deadline on every call.

Two ways in: SQLAlchemy builds the statements that depend on filters, and the hot statements are written out as SQL that
takes arrays; both run over the same asyncpg pool.  An outage or a slow answer becomes `DatabaseUnavailable`; a
statement that is wrong stays the error it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import structlog
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from wire.backoff import waits
from wire.errors import DatabaseUnavailable
from wire.settings import Stores

log = structlog.get_logger()

Row = Mapping[str, Any]

# What Postgres says of a row it cannot store (class 22, data) or of a value too large for it (class 54).
DATA_ERRORS: Final = (
    asyncpg.DataError, asyncpg.exceptions._base.DataError, asyncpg.ProgramLimitExceededError, UnicodeEncodeError,
)  # fmt: skip
AWAY: Final = (
    asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError, asyncpg.QueryCanceledError, asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError, asyncpg.UndefinedTableError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # "is not currently accepting connections": it is being restored
    asyncpg.InternalClientError,  # what it says of a connection that the server has just ended ("another operation")
    ConnectionError, OSError, TimeoutError,
)  # fmt: skip
COLLIDED: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)

_DIALECT: Any = dialect.dialect()  # type: ignore[no-untyped-call]


class Database:
    """A pool that connects when Postgres is there and says so when it is not."""

    def __init__(self, url: str, name: str, *, connections: int, timeout_seconds: float) -> None:
        self._url, self._name, self._connections, self._timeout = url, name, connections, timeout_seconds
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    @classmethod
    def of(cls, stores: Stores, name: str, connections: int | None = None) -> Database:
        return cls(
            stores.database_url.get_secret_value(),
            name,
            connections=connections or stores.database_connections,
            timeout_seconds=stores.database_timeout_seconds,
        )

    async def start(self) -> None:
        """Nothing to wait for: a process must start while its database is away."""

    async def stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            with contextlib.suppress(*AWAY):
                async with asyncio.timeout(self._timeout):
                    await pool.close()
            pool.terminate()

    async def wait_connected(self) -> None:
        """Return once Postgres answers and the schema stands, however long that takes."""
        for seconds in waits():
            try:
                await self.fetch("SELECT 1 FROM warren.pins LIMIT 1")
            except DatabaseUnavailable as e:
                log.warning("database_away", error=str(e))
                await asyncio.sleep(seconds)
            else:
                return

    async def fetch(self, statement: str | ClauseElement, *arguments: object) -> Sequence[Row]:
        """The rows of one statement in a transaction of its own."""
        sql, values = _compiled(statement, arguments)
        async with self.connection() as connection:
            rows: Sequence[Row] = await connection.fetch(sql, *values)
        return rows

    async def read(self, query: str | ClauseElement, *arguments: object) -> Sequence[Row]:
        """The rows of a query that changes nothing, so that it may be asked again when its connection was lost.

        A pooled connection that died with the server shows it only when it is used, and a reader whose Postgres is back
        should not have to know.
        """
        try:
            return await self.fetch(query, *arguments)
        except DatabaseUnavailable as e:
            if isinstance(e.__cause__, TimeoutError):
                raise  # it had its time
            return await self.fetch(query, *arguments)

    async def fetch_one(self, statement: str | ClauseElement, *arguments: object) -> Row | None:
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def now(self) -> datetime:
        """The database's clock, by which everything is judged."""
        row = await self.fetch_one("SELECT clock_timestamp() AS now")
        assert row is not None
        found: datetime = row["now"]
        return found

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.connection() as connection, connection.transaction():
            yield connection

    @contextlib.asynccontextmanager
    async def alone(self, number: int) -> AsyncIterator[bool]:
        """Do something long that no other process does at the same time; False if one does.

        The lock is a session's, and goes with it: what is done under it must bear being done twice.
        """
        try:
            async with asyncio.timeout(self._timeout):
                pool = await self._opened()
                connection = await pool.acquire()
        except AWAY as e:
            raise _away(e) from e
        try:
            taken = await connection.fetchval("SELECT pg_try_advisory_lock($1)", number)
            try:
                yield bool(taken)
            finally:
                if taken and not connection.is_closed():
                    await connection.execute("SELECT pg_advisory_unlock($1)", number)
        except AWAY as e:
            raise _away(e) from e
        finally:
            await pool.release(connection)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection from the pool, under the deadline; DatabaseUnavailable when Postgres is away."""
        try:
            async with asyncio.timeout(self._timeout):
                pool = await self._opened()
                async with pool.acquire() as connection:
                    yield connection
        except (*DATA_ERRORS, *COLLIDED):
            raise
        except AWAY as e:
            raise _away(e) from e

    @contextlib.asynccontextmanager
    async def session(self, name: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection beside the pool, for who listens as long as it stands; each call on it has the deadline."""
        try:
            connection = await asyncpg.connect(
                self._url,
                timeout=self._timeout,
                command_timeout=self._timeout,
                server_settings=self._session() | {"application_name": name},
            )
            try:
                yield connection
            finally:
                connection.terminate()  # nothing is under way that a farewell could save
        except AWAY as e:
            raise _away(e) from e

    async def _opened(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=1,
                    max_size=self._connections,
                    command_timeout=self._timeout,
                    timeout=self._timeout,
                    reset=_keep,
                    server_settings=self._session(),
                )
            return self._pool

    def _session(self) -> dict[str, str]:
        """What Postgres is told of a connection: a process that is frozen in a transaction must not keep its locks."""
        idle_millis = 2_000 * self._timeout  # no call of ours lasts half as long
        return {
            "application_name": self._name,
            "search_path": "warren",
            "idle_in_transaction_session_timeout": f"{idle_millis:.0f}",
        }


async def _keep(_: asyncpg.Connection) -> None:
    """Nothing to reset: no call of ours leaves state in a session, and the usual reset is a round trip a call."""


def _away(error: Exception) -> DatabaseUnavailable:
    said = f"{type(error).__name__}: {error}".strip(": ")
    if isinstance(error, asyncpg.ProtocolViolationError) and "startup parameter" in str(error):
        return DatabaseUnavailable(f"DATABASE_URL leads to a pooler; it must lead to Postgres itself ({said})")
    return DatabaseUnavailable(f"Postgres is away: {said}")


def _compiled(statement: str | ClauseElement, arguments: Sequence[object]) -> tuple[str, Sequence[object]]:
    if isinstance(statement, str):
        return statement, arguments
    compiled: Any = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    parameters = compiled.construct_params()
    return str(compiled), [parameters[name] for name in compiled.positiontup or ()]
