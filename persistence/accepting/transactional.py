"""Submit a job inside of somebody else's transaction: it exists if, and only if, that commits.

The transaction's own connection calls the function `warren.submit` (its migration says what it does), which writes the
row and the outbox row; nothing else is asked, so neither RabbitMQ nor a gateway has to be there.  The connection is a
SQLAlchemy `Session` or `Connection`, sync or async, asyncpg's, psycopg's, or whatever has a DB-API cursor, as Django's
`connection` has.  Whoever begins the transaction ends it: nothing here commits, and no driver is loaded that is not
loaded already.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar, Unpack, overload
from uuid import UUID

from wire.asked import Said, Takes, TakesNothing, checked_key, envelope_of
from wire.envelope import Envelope
from wire.errors import Refused
from wire.identity import fresh_id

Payload = TypeVar("Payload")

# What is said, as SQL that makes it of text: no driver's idea of a type comes between.
_ARGUMENTS: Final[Mapping[str, str]] = {
    "type": "{}",
    "payload": "{}::json",
    "id": "{}::uuid",
    "priority": "{}::int",
    "max_retries": "{}::int",
    "timeout_seconds": "{}::float8",
    "run_at": "{}::timestamptz",
    "delay": "{}::interval",
    "expires_at": "{}::timestamptz",
    "tags": "ARRAY(SELECT json_array_elements_text({}::json))",
    "idempotency_key": "{}",
}


class Awaits(Protocol):
    """A connection whose calls are awaited: SQLAlchemy's async ones, asyncpg's, psycopg's `AsyncConnection`."""

    def execute(self, statement: Any, /) -> Awaitable[Any]: ...


@overload
def submit_in(  # type: ignore[overload-overlap]
    connection: Awaits,
    job_type: str | Takes[Payload] | TakesNothing,
    payload: Payload | dict[str, Any] | None = None,
    *,
    key: str | None = None,
    **said: Unpack[Said],
) -> Awaitable[UUID]: ...


@overload
def submit_in(
    connection: object,
    job_type: str | Takes[Payload] | TakesNothing,
    payload: Payload | dict[str, Any] | None = None,
    *,
    key: str | None = None,
    **said: Unpack[Said],
) -> UUID: ...


def submit_in(
    connection: Any,
    job_type: str | Takes[Payload] | TakesNothing,
    payload: Payload | dict[str, Any] | None = None,
    *,
    key: str | None = None,
    **said: Unpack[Said],
) -> UUID | Awaitable[UUID]:
    """Submit a job with this connection's transaction; its id, to be awaited if the connection's calls are."""
    envelope = envelope_of(job_type, payload, said, id=None if key else fresh_id(), key=checked_key(key))
    if envelope.unique:
        raise Refused("unique", "is not taken here", "look for the other job in your transaction, or submit over HTTP")
    if envelope.batch_id:
        raise Refused("batch_id", "is not taken here", "submit it over HTTP, where a closed batch refuses it")
    told = _told(envelope)
    if hasattr(connection, "fetchval"):  # asyncpg
        found: Any = connection.fetchval(_statement(told, "${number}"), *told.values())
    elif _is_sqlalchemy(connection):
        from sqlalchemy import text  # noqa: PLC0415 - it is there, or there were no such connection

        found = connection.execute(text(_statement(told, ":{name}")), told)
    else:
        cursor = connection if hasattr(connection, "execute") else connection.cursor()
        found = cursor.execute(_statement(told, "%({name})s"), told) or cursor  # psycopg2's and Django's return None
    return _later(found) if inspect.isawaitable(found) else _id(found)


def _told(envelope: Envelope) -> dict[str, str]:
    """What was said, as text."""
    values = {
        "type": envelope.type,
        "payload": envelope.payload_json.decode(),
        "id": envelope.id,
        "priority": envelope.priority,
        "max_retries": envelope.max_retries,
        "timeout_seconds": envelope.timeout_seconds,
        "run_at": envelope.run_at,
        "delay": None if envelope.delay is None else f"{envelope.delay:f} seconds",
        "expires_at": envelope.expires_at,
        "tags": json.dumps(envelope.tags) if envelope.tags else None,
        "idempotency_key": envelope.idempotency_key,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _statement(told: Iterable[str], mark: str) -> str:
    marks = ((name, f"CAST({mark.format(name=name, number=number)} AS text)") for number, name in enumerate(told, 1))
    given = (f"{name} => {_ARGUMENTS[name].format(text)}" for name, text in marks)
    return f"SELECT warren.submit({', '.join(given)})"


def _is_sqlalchemy(connection: object) -> bool:
    return any(kind.__module__.partition(".")[0] == "sqlalchemy" for kind in type(connection).__mro__)


async def _later(found: Awaitable[Any]) -> UUID:
    answer = await found
    row = answer.fetchone() if hasattr(answer, "fetchone") else answer
    return _uuid(await row if inspect.isawaitable(row) else row)


def _id(answer: Any) -> UUID:
    return _uuid(answer.fetchone())


def _uuid(row: Any) -> UUID:
    value = row if isinstance(row, str | UUID) else row[0]
    return UUID(str(value))
