"""One pool of Postgres connections a process, with a deadline on every call.

Two ways in: SQLAlchemy builds the statements that depend on filters, and the hot statements are written out as SQL that
takes arrays; both run over the same asyncpg pool.  An outage or a slow answer becomes `DatabaseUnavailable`; a
statement that is wrong stays the error it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import structlog

from persistence.store.pool import Pool
from wire.errors import DatabaseUnavailable
from wire.metrics import table as metrics
from wire.rabbitmq.backoff import waits
from wire.settings import Stores

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement  # loaded by who has built one: see statements.py

log = structlog.get_logger()

Row = Mapping[str, Any]
SCHEMA: Final = "warren"  # all of ours, also in the database of another service

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


class Database:
    """A pool that connects when Postgres is there and says so when it is not."""

    def __init__(self, url: str, name: str, *, connections: int, timeout_seconds: float) -> None:
        self._url, self._name, self._connections, self._timeout = url, name, connections, timeout_seconds
        self._pool: Pool | None = None
        self._stopped = False
        self._opening = asyncio.Lock()
        self._away_at = float("-inf")  # when it was last found so

    @classmethod
    def of(cls, stores: Stores, name: str, connections: int | None = None) -> Database:
        return cls(
            stores.database_url.get_secret_value(),
            name,
            connections=connections or stores.database_connections,
            timeout_seconds=stores.database_timeout_seconds,
        )

    def lost_since(self, moment: float) -> bool:
        """Whether Postgres has been found away after this moment, or has ended a connection that nobody has met."""
        if self._pool is not None and self._pool.drop_dead():
            self._away_at = time.monotonic()
        return self._away_at > moment

    async def start(self) -> None:
        """Nothing to wait for: a process must start while its database is away."""
        self._stopped = False

    async def stop(self) -> None:
        """Let go of all connections; whoever still asks, behind somebody's back, is refused and opens none."""
        self._stopped = True
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
        pool = self._pool
        free = pool.take_at_hand() if pool is not None else None
        if pool is not None and free is not None:
            return await self._fetch_at_once(pool, free, sql, values)
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

    def look(self) -> None:
        """Tell how many connections there are, for the metrics."""
        standing = self._pool.standing() if self._pool else {}
        metrics.POOL.clear()
        for use, connections in {**standing, "limit": self._connections}.items():
            metrics.POOL.set(connections, use)

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
                connection = await pool.take()
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
            await pool.let_go(connection)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection from the pool, under the deadline; DatabaseUnavailable when Postgres is away."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout):
                pool = self._pool or await self._opened()
                connection = await pool.take()
                try:
                    yield connection
                except BaseException:  # a cancel too: nobody knows what it left under way
                    await pool.let_go(connection)
                    raise
                await pool.give_back(connection)
            metrics.DATABASE_SECONDS.observe(time.perf_counter() - began)
        except (*DATA_ERRORS, *COLLIDED):
            raise
        except AWAY as e:
            raise await self._found_away(e) from e

    @contextlib.asynccontextmanager
    async def session(self, name: str, **told: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection beside the pool, for who listens as long as it stands; each call on it has the deadline.

        `told` are settings of Postgres that hold for it alone.
        """
        try:
            connection = await asyncpg.connect(
                self._url,
                timeout=self._timeout,
                command_timeout=self._timeout,
                server_settings=self._session() | told | {"application_name": name},
            )
            try:
                yield connection
            finally:
                connection.terminate()  # nothing is under way that a farewell could save
        except AWAY as e:
            raise _away(e) from e

    async def _fetch_at_once(
        self, pool: Pool, connection: asyncpg.Connection, sql: str, values: Sequence[object]
    ) -> Sequence[Row]:
        """Over a connection that is at hand, whose own deadline is as long as ours.

        Where jobs come one by one all code is cold, and a timer and two contexts around a statement take 0.1 ms.
        """
        began = time.perf_counter()
        try:
            try:
                rows: Sequence[Row] = await connection.fetch(sql, *values)
            except BaseException:  # a cancel too: nobody knows what it left under way
                await pool.let_go(connection)
                raise
            await pool.give_back(connection)
        except (*DATA_ERRORS, *COLLIDED):
            raise
        except AWAY as e:
            raise await self._found_away(e) from e
        metrics.DATABASE_SECONDS.observe(time.perf_counter() - began)
        return rows

    async def _found_away(self, error: Exception) -> DatabaseUnavailable:
        """What to raise; after a lost connection the others are made anew."""
        self._away_at = time.monotonic()
        metrics.DATABASE_FAILURES.add()
        if self._pool and not isinstance(error, TimeoutError | asyncpg.InsufficientResourcesError):
            await self._pool.expire()
        return _away(error)

    async def _opened(self) -> Pool:
        async with self._opening:
            if self._pool is None:
                self._refuse_after_stop()
                pool = await self._open()
                try:
                    self._refuse_after_stop()  # it took its time
                except DatabaseUnavailable:
                    pool.terminate()
                    raise
                self._pool = pool
            return self._pool

    def _refuse_after_stop(self) -> None:
        if self._stopped:
            raise DatabaseUnavailable("this process has let go of Postgres")

    async def _open(self) -> Pool:
        pool = Pool(self._url, connections=self._connections, timeout_seconds=self._timeout, session=self._session())
        await pool.open()
        return pool

    def _session(self) -> dict[str, str]:
        """What Postgres is told of a connection.

        A process that is frozen in a transaction must not keep its locks.  A prepared statement keeps the plan that it
        got first, perhaps while `jobs` was empty: a walk over the table, which costs more with every job until
        autovacuum looks in, a minute later.  So walks are for where no index serves, and then not worth compiling.
        """
        idle_millis = 2_000 * self._timeout  # no call of ours lasts half as long
        return {
            "application_name": self._name,
            "search_path": SCHEMA,
            "enable_seqscan": "off",
            "jit": "off",
            "idle_in_transaction_session_timeout": f"{idle_millis:.0f}",
        }


def _away(error: Exception) -> DatabaseUnavailable:
    said = f"{type(error).__name__}: {error}".strip(": ")
    if isinstance(error, asyncpg.ProtocolViolationError) and "startup parameter" in str(error):
        return DatabaseUnavailable(f"DATABASE_URL leads to a pooler; it must lead to Postgres itself ({said})")
    return DatabaseUnavailable(f"Postgres is away: {said}")


def _compiled(statement: str | ClauseElement, arguments: Sequence[object]) -> tuple[str, Sequence[object]]:
    if isinstance(statement, str):
        return statement, arguments
    from persistence.store.statements import text_of  # noqa: PLC0415 - loads SQLAlchemy; plain SQL does without

    return text_of(statement)
