"""A database that tells how each of its statements was done, those of triggers and functions too.

Postgres' own `auto_explain` sends the plan that was run as a notice, so nothing is guessed about arguments, and a plan
that Postgres chooses once it knows a statement better (a generic one, from the sixth time on) is seen as well.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

from persistence.store.database import Database, Row
from persistence.store.pool import Pool

EXPLAIN = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
    "enable_seqscan": "on",  # at work it is off; here a walk shows as one, and not as one through an index
}


@dataclass(frozen=True, slots=True)
class Walk:
    """A statement that looked at rows which no index kept from it: at all, or at each by the clock."""

    table: str
    how: Literal["all rows", "each row by the clock"]
    statement: str


class Explained(Database):
    """One connection, so that each statement is planned as often as it is asked."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "explained", connections=1, timeout_seconds=30)
        self.statements: set[str] = set()
        self.walks: set[Walk] = set()

    def _session(self) -> dict[str, str]:
        return super()._session() | EXPLAIN

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        async with super().connection() as connection:
            connection.add_log_listener(self._hear)
            try:
                yield connection
            finally:
                connection.remove_log_listener(self._hear)

    async def _fetch_at_once(
        self, pool: Pool, connection: asyncpg.Connection, sql: str, values: Sequence[object]
    ) -> Sequence[Row]:
        connection.add_log_listener(self._hear)
        try:
            return await super()._fetch_at_once(pool, connection, sql, values)
        finally:
            connection.remove_log_listener(self._hear)

    def _hear(self, _: object, message: asyncpg.PostgresLogMessage) -> None:
        _, plan, told = str(message).partition("plan:\n")
        if plan:
            found = json.loads(told)
            statement = plain(found["Query Text"])
            self.statements.add(statement)
            self.walks |= {Walk(*walk, statement) for walk in _walked(found["Plan"])}


def plain(statement: str) -> str:
    """The statement in one line."""
    return " ".join(statement.split())


def _walked(plan: dict[str, Any]) -> Iterator[tuple[str, Literal["all rows", "each row by the clock"]]]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"], "all rows"
    elif plan.get("Index Cond", "").startswith("(id = "):
        pass  # one row, by its key
    elif "Relation Name" in plan and "clock_timestamp()" in plan.get("Filter", ""):
        yield plan["Relation Name"], "each row by the clock"  # the time bounds no index then
    for part in plan.get("Plans", ()):
        yield from _walked(part)
