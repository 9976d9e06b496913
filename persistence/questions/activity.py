"""Which jobs came in a stretch of time, and what has become of them: for reports.

Jobs are read in the order of their birth, a piece of so many by one statement, so that none of them takes long and a
million jobs never stand in one transaction.  How long jobs ran and waited is told by classes five per cent apart, which
can be added up over pieces, as a median cannot.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from persistence.forgotten.classes import NEVER_RAN, class_of, most_of
from persistence.questions.pages import Place
from persistence.store.database import Database, Row

PIECE: Final = 20_000  # a tenth of a second
LONGEST_MESSAGE: Final = 300
SLOWEST: Final = 10
NOBODY: Final = UUID(int=0)

# A wait is told of who has run once: of a retry nobody knows any more when the first attempt began.
_ACTIVITY = f"""
WITH seen AS MATERIALIZED (
  SELECT id, created_at, type, state, reason, attempt, error_type, left(error_message, {LONGEST_MESSAGE}) AS message,
         width_bucket(created_at, $1::timestamptz[]) - 1 AS day,
         CASE WHEN finished_at >= started_at THEN extract(epoch FROM finished_at - started_at)::float8 END AS ran,
         CASE WHEN attempt = 1 AND started_at IS NOT NULL
              THEN extract(epoch FROM started_at - greatest(created_at, scheduled_for))::float8 END AS waited
    FROM jobs WHERE created_at < $2 AND (created_at, id) > ($3, $4) ORDER BY created_at, id LIMIT $5)
SELECT (SELECT count(*) FROM seen) AS jobs,
       (SELECT json_agg(c) FROM (
          SELECT day, type, state, count(*) AS jobs, sum(greatest(attempt - 1, 0)) AS retries
            FROM seen GROUP BY day, type, state) c) AS counts,
       (SELECT json_agg(l) FROM (
          SELECT type, {class_of("ran")} AS class, count(*) AS jobs, max(ran) AS longest
            FROM seen WHERE ran IS NOT NULL GROUP BY 1, 2) l) AS ran,
       (SELECT json_agg(w) FROM (
          SELECT type, {class_of("waited")} AS class, count(*) AS jobs,
                 max(waited) AS longest
            FROM seen WHERE waited IS NOT NULL GROUP BY 1, 2) w) AS waited,
       (SELECT json_agg(f) FROM (
          SELECT type, coalesce(error_type, reason, '') AS error, count(*) AS jobs, max(message) AS message
            FROM seen WHERE state = 'failed' GROUP BY 1, 2) f) AS failures,
       (SELECT json_agg(s) FROM (
          SELECT id, type, state, created_at, ran AS seconds FROM seen WHERE ran IS NOT NULL
           ORDER BY ran DESC, id LIMIT {SLOWEST}) s) AS slowest,
       last.created_at, last.id
  FROM (SELECT) one LEFT JOIN LATERAL (
       SELECT created_at, id FROM seen ORDER BY created_at DESC, id DESC LIMIT 1) last ON true
"""  # noqa: S608 - made of constants

_FORGOTTEN = """
SELECT width_bucket(hour, $1::timestamptz[]) - 1 AS day, type, state, ran_class, sum(jobs)::bigint AS jobs,
       sum(retries)::bigint AS retries, max(longest) AS longest
  FROM forgotten_jobs WHERE hour >= $2 AND hour < $3 GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Count:
    """So many jobs of this type that came on that day are in this state; `retries` they took together."""

    day: int
    type: str
    state: str
    jobs: int
    retries: int


@dataclass(frozen=True, slots=True)
class Lasting:
    """So many jobs of this type took a time of this class, and the longest of them took `longest` seconds."""

    type: str
    seconds: float  # the longest time that is of this class
    jobs: int
    longest: float


@dataclass(frozen=True, slots=True)
class Failure:
    """So many jobs of this type failed with this error; what one of them said."""

    type: str
    error: str
    jobs: int
    message: str | None


@dataclass(frozen=True, slots=True)
class Slow:
    """One job that took long."""

    id: str
    type: str
    state: str
    created_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Piece:
    """What was found among so many jobs."""

    jobs: int
    until: Place
    counts: Sequence[Count]
    ran: Sequence[Lasting]
    waited: Sequence[Lasting]
    failures: Sequence[Failure]
    slowest: Sequence[Slow]
    forgotten: bool = False  # these are no more than sums


async def activity(database: Database, days: Sequence[datetime], *, piece: int = PIECE) -> AsyncIterator[Piece]:
    """All jobs that came from the first of these instants to the last; a day is from one instant to the next.

    First those that retention has forgotten, of which only sums are known, and those by the hour: one that begins
    within a day belongs to it.
    """
    if forgotten := await database.read(_FORGOTTEN, list(days), days[0], days[-1]):
        yield _sums(forgotten, days[-1])
    place = Place(days[0], NOBODY)
    while True:
        row = (await database.read(_ACTIVITY, list(days), days[-1], place.created_at, place.id, piece))[0]
        if not row["jobs"]:
            return
        found = _piece(row)
        yield found
        if found.jobs < piece:
            return
        place = found.until


def _sums(rows: Sequence[Row], until: datetime) -> Piece:
    return Piece(
        sum(row["jobs"] for row in rows),
        Place(until, NOBODY),
        [Count(row["day"], row["type"], row["state"], row["jobs"], row["retries"]) for row in rows],
        [
            Lasting(row["type"], most_of(row["ran_class"]), row["jobs"], row["longest"])
            for row in rows
            if row["ran_class"] != NEVER_RAN
        ],
        (), (), (), forgotten=True,
    )  # fmt: skip


def _piece(row: Row) -> Piece:
    return Piece(
        row["jobs"],
        Place(row["created_at"], row["id"]),
        [Count(**said) for said in _read(row, "counts")],
        [_lasting(said) for said in _read(row, "ran")],
        [_lasting(said) for said in _read(row, "waited")],
        [Failure(**said) for said in _read(row, "failures")],
        [
            Slow(**{**said, "created_at": datetime.fromisoformat(str(said["created_at"]))})
            for said in _read(row, "slowest")
        ],
    )


def _lasting(said: Mapping[str, Any]) -> Lasting:
    return Lasting(said["type"], most_of(said["class"]), said["jobs"], said["longest"])


def _read(row: Row, name: str) -> list[dict[str, Any]]:
    return list(json.loads(row[name] or "[]"))
