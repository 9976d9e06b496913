"""The session of a clock: one connection to Postgres, whose advisory locks say which segments are this clock's.

A clock makes its runs on this very connection.  So who has lost the locks has lost the means: a process that was frozen
for ten seconds and wakes up finds its connection closed, and its statement never reaches Postgres.  Postgres closes it
after eight seconds of silence (`idle_session_timeout`), which a clock that turns breaks twice a second; a process that
died has it closed by its kernel at once.

A lock on a pair of numbers is either a segment's (held by one) or a member's: shared by all, its number tells which
stretch of segments the member may serve.  So `pg_locks` alone shows every clock what all of them may and do hold.
For one task at a time.  It refuses nothing and decides nothing; see scheduler/clock/shares.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

import asyncpg

from persistence.store.database import AWAY, COLLIDED, DATA_ERRORS, Database
from wire.errors import DatabaseUnavailable
from wire.segments import SEGMENTS, Stretch, within

SILENT_SECONDS: Final = 8.0  # a frozen clock's segments are another's within ten seconds
MEMBERS: Final = 7_267_750  # the first number of the pair; the second is a stretch
HELD: Final = 7_267_751  # ... and here a segment

_LOOK: Final = f"""
SELECT pid, classid = {HELD} AS held, array_agg(objid::int4 ORDER BY objid) AS numbers, pid = pg_backend_pid() AS ours,
       clock_timestamp() AS now
  FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 2 AND classid IN ({MEMBERS}, {HELD}) AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
 GROUP BY pid, held ORDER BY pid, held
"""  # noqa: S608 - made of two constants
_JOIN: Final = f"SELECT pg_advisory_lock_shared({MEMBERS}, number) FROM unnest($1::int4[]) AS number"  # noqa: S608
_TAKE: Final = f"SELECT number FROM unnest($1::int4[]) AS number WHERE pg_try_advisory_lock({HELD}, number)"  # noqa: S608
_LET_GO: Final = f"SELECT pg_advisory_unlock({HELD}, number) FROM unnest($1::int4[]) AS number"  # noqa: S608


@dataclass(frozen=True, slots=True)
class View:
    """Who is there, what each may serve, and who holds what; a member is the number of its session's process."""

    now: datetime  # by the database's clock
    ours: int
    members: Mapping[int, frozenset[int]]
    holders: Mapping[int, int]


class Session:
    """Opened by a look, and anew after anything went wrong with it; without it nothing is held and nothing is done."""

    def __init__(
        self, database: Database, may_serve: Sequence[Stretch], name: str, silent_seconds: float = SILENT_SECONDS
    ) -> None:
        self._database, self._may_serve, self._name, self._silent = database, may_serve, name, silent_seconds
        self._stack = contextlib.AsyncExitStack()
        self._connection: asyncpg.Connection | None = None
        self.held: frozenset[int] = frozenset()

    async def stop(self) -> None:
        """Let go of everything; a second time is fine, and so is to begin again."""
        self._connection, self.held = None, frozenset()
        await self._stack.aclose()

    async def look(self) -> View:
        """Become a member if this is none, and see who else is."""
        if self._connection is None or self._connection.is_closed():
            await self._open()
        async with self.connection() as connection:
            return _view(await connection.fetch(_LOOK))

    async def now(self) -> datetime:
        """By the database's clock."""
        async with self.connection() as connection:
            told: datetime = await connection.fetchval("SELECT clock_timestamp()")
            return told

    async def take(self, segments: Iterable[int]) -> None:
        """Those of them that nobody holds."""
        if wanted := sorted(segments):
            async with self.connection() as connection:
                self.held |= {row["number"] for row in await connection.fetch(_TAKE, wanted)}

    async def let_go(self, segments: Iterable[int]) -> None:
        if ours := sorted(self.held & set(segments)):
            async with self.connection() as connection:
                self.held -= set(ours)  # first: what becomes of the rest of this call does not matter
                await connection.fetch(_LET_GO, ours)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection that holds the locks, never a fresh one; what goes wrong on it ends it, and all it held."""
        try:
            if self._connection is None:
                raise asyncpg.InterfaceError("it has not been opened")
            yield self._connection
        except (*DATA_ERRORS, *COLLIDED):
            raise  # Postgres has answered, and the session stands
        except AWAY as e:
            await self.stop()
            raise DatabaseUnavailable(f"the session of the clock is gone: {type(e).__name__}: {e}".strip(": ")) from e
        except asyncio.CancelledError:  # nobody knows what it left under way
            await self.stop()
            raise

    async def _open(self) -> None:
        await self.stop()
        silent = f"{1_000 * self._silent:.0f}"
        told = {
            "idle_session_timeout": silent,
            "idle_in_transaction_session_timeout": silent,
            "tcp_user_timeout": silent,  # of one that was frozen while Postgres was answering it
        }
        self._connection = await self._stack.enter_async_context(self._database.session(self._name, **told))
        async with self.connection() as connection:
            await connection.fetch(_JOIN, [_number(stretch) for stretch in self._may_serve])


def _view(rows: Iterable[asyncpg.Record]) -> View:
    members: dict[int, frozenset[int]] = {}
    holders: dict[int, int] = {}
    ours, now = 0, datetime.min
    for row in rows:
        if row["ours"]:  # there is one at least: it is a member itself
            ours, now = row["pid"], row["now"]
        if row["held"]:
            holders.update(dict.fromkeys(row["numbers"], row["pid"]))
        else:
            members[row["pid"]] = _served(tuple(row["numbers"]))
    return View(now, ours, members, holders)


@lru_cache(maxsize=128)
def _served(numbers: tuple[int, ...]) -> frozenset[int]:
    return within(Stretch(*divmod(number, SEGMENTS)) for number in numbers)


def _number(stretch: Stretch) -> int:
    return stretch.first * SEGMENTS + stretch.last
