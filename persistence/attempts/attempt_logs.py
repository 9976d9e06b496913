"""What attempts have logged: written a batch at a time, read by job.

A row holds a piece of it, the lines that came between two writes, a JSON object a line.  Only the last lines of an
attempt are kept: a piece says from which one on, and what is older goes with the next write.  Lines have numbers from
1 in each attempt, so that a reader can go on where it was.  What a line says is the affair of who writes and reads it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct

from persistence.store.database import Database, Row
from wire.states import State


class Piece(Struct, frozen=True):
    """Lines of one attempt that follow one another."""

    job_id: UUID
    lease: int
    attempt: int
    first: int
    last: int
    kept_from: int  # older lines of the attempt are not kept
    lines: str


class Line(Struct, frozen=True):
    lease: int
    attempt: int
    number: int
    said: str


class Lines(Struct, frozen=True):
    """The last ones of a job, in order, and how the job stands."""

    state: State
    trace_id: str
    lines: list[Line]
    dropped: int  # of these attempts, because they had too many


class Place(NamedTuple):
    """A line; what comes behind it has a higher number in the same attempt, or belongs to a later start."""

    lease: int
    number: int


class News(Struct, frozen=True):
    """What has come behind a place."""

    state: State | None  # None: there is no such job (any more)
    lines: list[Line]
    more: bool = False  # these are not all that there is


START: Final = Place(0, 0)
GONE: Final = News(None, [])

# the lock keeps the job from being deleted meanwhile: nobody would ever delete the lines of a job that is gone
_WRITE: Final = """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::text[])
    AS g(job_id, lease, attempt, first, last, kept_from, lines)
), locked AS MATERIALIZED (
  SELECT id FROM jobs WHERE id = ANY($1) ORDER BY id FOR KEY SHARE
), trimmed AS (
  DELETE FROM attempt_logs l USING given g
   WHERE g.kept_from > 1 AND l.job_id = g.job_id AND l.lease = g.lease AND l.first < g.kept_from
     AND l.last < g.kept_from
)
INSERT INTO attempt_logs AS l (job_id, lease, first, attempt, last, kept_from, lines)
SELECT g.job_id, g.lease, g.first, g.attempt, g.last, g.kept_from, g.lines
  FROM given g JOIN locked ON locked.id = g.job_id ORDER BY g.job_id, g.lease
    ON CONFLICT (job_id, lease, first) DO UPDATE  -- it was written after all, when we had lost sight of it
       SET last = excluded.last, kept_from = excluded.kept_from, lines = excluded.lines
     WHERE excluded.last > l.last
"""

# the newest pieces, until they have so many lines; the others' text is not even read
_OF_JOB: Final = """
SELECT j.state, split_part(j.traceparent, '-', 2) AS trace_id,
       p.lease, p.attempt, p.first, p.kept_from, p.lines
  FROM jobs j LEFT JOIN LATERAL (
    SELECT *, sum(last - first + 1) OVER (ORDER BY lease DESC, first DESC) - (last - first + 1) AS newer
      FROM attempt_logs WHERE job_id = j.id AND ($2::int IS NULL OR attempt = $2)) p ON p.newer < $3
 WHERE j.id = $1 ORDER BY p.lease, p.first
"""

# the state and the lines are of one moment: of a job that has ended in it, these are the last
_NEWS: Final = """
SELECT g.id, g.lease AS after_lease, g.number AS after_number, j.state,
       p.lease, p.attempt, p.first, p.kept_from, p.lines
  FROM unnest($1::uuid[], $2::int[], $3::int[]) AS g(id, lease, number)
  JOIN jobs j ON j.id = g.id
  LEFT JOIN LATERAL (
    SELECT lease, attempt, first, kept_from, lines FROM attempt_logs
     WHERE job_id = g.id AND lease >= g.lease AND (lease > g.lease OR last > g.number)
     ORDER BY lease, first LIMIT $4) p ON true
 ORDER BY g.id, g.lease, g.number, p.lease, p.first
"""
MOST_PIECES: Final = 8  # a follower gets at once


async def write(database: Database, pieces: Sequence[Piece]) -> None:
    """Write these; lines of jobs that are gone are left out."""
    if pieces:
        columns = zip(*[(p.job_id, p.lease, p.attempt, p.first, p.last, p.kept_from, p.lines) for p in pieces],
                      strict=True)  # fmt: skip
        await database.fetch(_WRITE, *map(list, columns))


async def lines_of(database: Database, job_id: UUID, *, attempt: int | None = None, limit: int) -> Lines | None:
    """The job's last lines, or one attempt's; None if there is no such job."""
    rows = await database.read(_OF_JOB, job_id, attempt, limit)
    if not rows:
        return None
    pieces = [row for row in rows if row["lines"] is not None]
    kept_from = _kept_from(pieces)
    lines = list(_lines(pieces, kept_from))[-limit:]
    return Lines(State(rows[0]["state"]), rows[0]["trace_id"], lines, sum(kept_from.values()) - len(kept_from))


async def news_of(database: Database, asked: Sequence[tuple[UUID, Place]]) -> dict[tuple[UUID, Place], News]:
    """What each of these jobs has logged behind a place; jobs that are gone are left out."""
    columns = zip(*[(job_id, after.lease, after.number) for job_id, after in asked], strict=True)
    rows = await database.read(_NEWS, *map(list, columns), MOST_PIECES)
    found: dict[tuple[UUID, Place], News] = {}
    for (job_id, after), group in itertools.groupby(rows, key=_asked):
        news = list(group)
        pieces = [row for row in news if row["lines"] is not None]
        lines = list(_lines(pieces, _kept_from(pieces), after))
        found[job_id, after] = News(State(news[0]["state"]), lines, more=len(pieces) == MOST_PIECES)
    return found


def _asked(row: Row) -> tuple[UUID, Place]:
    return row["id"], Place(row["after_lease"], row["after_number"])


def _kept_from(rows: Iterable[Row]) -> dict[int, int]:
    """The first line that is kept, by lease: a newer piece may have taken some of an older one's."""
    found: dict[int, int] = {}
    for row in rows:
        found[row["lease"]] = max(found.get(row["lease"], 1), row["kept_from"])
    return found


def _lines(rows: Iterable[Row], kept_from: dict[int, int], after: Place = START) -> Iterator[Line]:
    place = after
    for row in rows:
        for number, said in enumerate(row["lines"].split("\n"), row["first"]):
            if number >= kept_from[row["lease"]] and (row["lease"], number) > place:  # pieces may overlap
                place = Place(row["lease"], number)
                yield Line(row["lease"], row["attempt"], number, said)
