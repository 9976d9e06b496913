"""What people ask about dead letters: a page of them, a page of their causes, one with its bytes.

Keyset-paged by id, newest first.  A letter may be far larger than a job may be, so a page carries no bodies and a
single letter's is cut where nobody would read on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, literal_column, select

from persistence.store.database import Database, Row
from persistence.tables import dead_letters as table

MOST_BODY_BYTES: Final = 8_388_608  # the largest that WARREN_MAX_BODY_BYTES can be


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without its bytes."""

    id: int
    job_id: UUID | None  # what its message_id says, where that is a UUID
    message_id: str
    type: str | None
    reason: str
    detail: str
    fingerprint: str
    size_bytes: int
    exchange: str
    routing_key: str
    queue: str
    created_at: datetime
    redriven_at: datetime | None
    redriven_as: UUID | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A dead letter with its bytes and what was said beside them."""

    letter: Letter
    body: bytes  # at most MOST_BODY_BYTES of it
    headers: str  # JSON: headers and properties


@dataclass(frozen=True, slots=True)
class Cause:
    """What letters with one fingerprint have in common; the newest of them stands for all."""

    fingerprint: str
    letters: int
    waiting: int  # not redriven yet
    first_seen_at: datetime
    last_seen_at: datetime
    sample: Letter


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters somebody wants; None means all."""

    type: str | None = None
    reason: str | None = None
    fingerprint: str | None = None
    since: datetime | None = None
    redriven: bool | None = None


_LETTER = [
    func.octet_length(table.c.body).label("size_bytes") if name == "size_bytes" else table.c[name]
    for name in Letter.__slots__
]


async def page(database: Database, wanted: Filter, limit: int, before: int | None = None) -> list[Letter]:
    """At most `limit` letters, newest first, from behind `before`."""
    query = select(*_LETTER).where(*conditions(wanted)).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    return [_letter_of(row) for row in await database.read(query)]


async def causes(database: Database, wanted: Filter, limit: int, before: int | None = None) -> list[Cause]:
    """At most `limit` causes, the one that was seen last first."""
    newest = func.max(table.c.id)
    groups = (
        select(
            newest.label("newest"),
            func.count().label("letters"),
            func.sum(case((table.c.redriven_at.is_(None), 1), else_=0)).label("waiting"),
            func.min(table.c.created_at).label("first_seen_at"),
            func.max(table.c.created_at).label("last_seen_at"),
        )
        .where(*conditions(wanted))
        .group_by(table.c.fingerprint)
        .order_by(literal_column("newest").desc())
        .limit(limit)
    )
    found = (groups.having(newest < before) if before is not None else groups).subquery()
    query = select(*_LETTER, found).join(found, found.c.newest == table.c.id).order_by(table.c.id.desc())
    return [_cause(row) for row in await database.read(query)]


async def opened(database: Database, letter_id: int) -> Opened | None:
    """One letter, with its bytes."""
    row = await database.fetch_one(_opened(MOST_BODY_BYTES).where(table.c.id == letter_id))
    return _opened_of(row) if row else None


async def of_message(database: Database, message_id: UUID) -> Letter | None:
    """The last letter that came under the id of a job."""
    query = select(*_LETTER).where(table.c.message_id == str(message_id)).order_by(table.c.id.desc()).limit(1)
    rows = await database.read(query)
    return _letter_of(rows[0]) if rows else None


async def between(
    database: Database, wanted: Filter, after: int, last: int, *, limit: int, most_bytes: int
) -> list[Opened]:
    """At most `limit` letters with their bytes (so many of each), oldest first."""
    query = _opened(most_bytes).where(*conditions(wanted), table.c.id > after, table.c.id <= last)
    return [_opened_of(row) for row in await database.fetch(query.order_by(table.c.id).limit(limit))]


async def discard(database: Database, letter_id: int) -> bool:
    """Forget this letter; says whether there was one."""
    rows = await database.fetch("DELETE FROM dead_letters WHERE id = $1 RETURNING id", letter_id)
    return bool(rows)


def conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    """The filter as SQL."""
    said: Mapping[str, Any] = {"type": wanted.type, "reason": wanted.reason, "fingerprint": wanted.fingerprint}
    terms: list[ColumnElement[bool]] = [table.c[name] == value for name, value in said.items() if value is not None]
    if wanted.since is not None:
        terms.append(table.c.created_at >= wanted.since)
    if wanted.redriven is not None:
        terms.append(table.c.redriven_at.is_not(None) if wanted.redriven else table.c.redriven_at.is_(None))
    return terms


def _opened(most_bytes: int) -> Select[tuple[object, ...]]:
    return select(*_LETTER, table.c.headers, func.substr(table.c.body, 1, most_bytes).label("body"))


def _letter_of(row: Row) -> Letter:
    return Letter(**{name: row[name] for name in Letter.__slots__})


def _opened_of(row: Row) -> Opened:
    return Opened(_letter_of(row), row["body"], row["headers"])


def _cause(row: Row) -> Cause:
    return Cause(
        fingerprint=row["fingerprint"],
        letters=row["letters"],
        waiting=row["waiting"],
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        sample=_letter_of(row),
    )
