"""Redrives by filter, a row each: which letters, how fast, how far it is, who works it off.

A run ends: it knows its last letter when it begins, and goes through them oldest first.  How far it is is written in
the transaction that redrives a letter, fenced by the run's holder, so that a stop holds at once, a crash repeats
nothing, and two gateways never work off one run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import func, select

from persistence.accepting.outbox import Post
from persistence.accepting.submission import Submission
from persistence.letters.letters import Filter, conditions
from persistence.letters.redrive import Redriven, Word, redrive_within
from persistence.store.database import Database, Row
from persistence.tables import dead_letters as letters
from persistence.tables import redrive_runs as table
from wire.errors import Refused
from wire.identity import fresh_id

HELD_SECONDS: Final = 15.0  # without a word from its holder another gateway takes a run up
MOST_HELD: Final = 8


@dataclass(frozen=True, slots=True)
class Run:
    """One redrive by filter."""

    id: UUID
    type: str | None
    reason: str | None
    fingerprint: str | None
    since: datetime | None
    rate: float  # letters a second
    letters: int  # as counted when it began
    redriven: int
    refused: int
    last_refusal: str | None
    after_letter: int
    last_letter: int
    created_at: datetime
    stopped_at: datetime | None
    finished_at: datetime | None

    @property
    def state(self) -> Literal["running", "stopped", "finished"]:
        if self.stopped_at:
            return "stopped"
        return "finished" if self.finished_at else "running"

    @property
    def filter(self) -> Filter:
        return Filter(self.type, self.reason, self.fingerprint, self.since, redriven=False)


_BEGIN = """
INSERT INTO redrive_runs (id, type, reason, fingerprint, since, rate, letters, last_letter)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *
"""

_STOP = """
UPDATE redrive_runs
   SET stopped_at = CASE WHEN finished_at IS NULL THEN clock_timestamp() ELSE stopped_at END,
       finished_at = coalesce(finished_at, clock_timestamp())
 WHERE id = $1 RETURNING *
"""

_TAKE_UP = """
UPDATE redrive_runs SET holder = $1, held_until = clock_timestamp() + make_interval(secs => $2)
 WHERE id IN (
   SELECT id FROM redrive_runs
    WHERE finished_at IS NULL AND (holder = $1 OR held_until IS NULL OR held_until < clock_timestamp())
    ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING *
"""

_LET_GO = "UPDATE redrive_runs SET held_until = NULL WHERE holder = $1 AND finished_at IS NULL"

_ADVANCE = """
UPDATE redrive_runs
   SET after_letter = $3, redriven = redriven + $4, refused = refused + ($5::text IS NOT NULL)::int,
       last_refusal = coalesce($5, last_refusal)
 WHERE id = $1 AND holder = $2 AND finished_at IS NULL
RETURNING id
"""

_FINISH = (
    "UPDATE redrive_runs SET finished_at = clock_timestamp() WHERE id = $1 AND holder = $2 AND finished_at IS NULL"
)


async def count(database: Database, wanted: Filter) -> tuple[int, int]:
    """How many letters there are to redrive, and the newest of them."""
    row = await database.fetch_one(
        select(func.count().label("letters"), func.max(letters.c.id).label("newest")).where(*conditions(wanted))
    )
    assert row is not None
    return row["letters"], row["newest"] or 0


async def begin(database: Database, wanted: Filter, rate: float) -> Run:
    """A run over the letters that there are now."""
    number, last = await count(database, wanted)
    row = await database.fetch_one(
        _BEGIN, fresh_id(), wanted.type, wanted.reason, wanted.fingerprint, wanted.since, rate, number, last
    )
    assert row is not None
    return _run(row)


async def one(database: Database, run_id: UUID) -> Run | None:
    row = await database.fetch_one(select(table).where(table.c.id == run_id))
    return _run(row) if row else None


async def page(database: Database, limit: int) -> list[Run]:
    """The last runs, newest first; there are never many."""
    return [_run(row) for row in await database.fetch(select(table).order_by(table.c.id.desc()).limit(limit))]


async def stop(database: Database, run_id: UUID) -> Run | None:
    """End it where it is; no letter is redriven after the answer."""
    row = await database.fetch_one(_STOP, run_id)
    return _run(row) if row else None


async def take_up(database: Database, holder: UUID) -> list[Run]:
    """The open runs that are this holder's from now on: its own, kept, and those whose holder is silent."""
    return [_run(row) for row in await database.fetch(_TAKE_UP, holder, HELD_SECONDS, MOST_HELD)]


async def let_go(database: Database, holder: UUID) -> None:
    """Others need not wait for this holder's silence."""
    await database.fetch(_LET_GO, holder)


async def step(
    database: Database, run_id: UUID, holder: UUID, letter_id: int, verdict: Submission | Refused
) -> list[Post] | None:
    """Redrive one letter and write how far the run is; None if it has been stopped or has passed to another."""
    try:
        async with database.transaction() as transaction:
            done, refusal = Redriven(Word.UNKNOWN), None
            if isinstance(verdict, Submission):
                done = await redrive_within(transaction, letter_id, verdict)
            else:
                refusal = f"letter {letter_id}: {verdict}"
            counted = int(done.word is Word.REDRIVEN)
            if await transaction.fetchrow(_ADVANCE, run_id, holder, letter_id, counted, refusal) is None:
                raise _NotOurs
    except _NotOurs:
        return None
    return done.posts


class _NotOurs(Exception):
    """Undoes the step."""


async def finish(database: Database, run_id: UUID, holder: UUID) -> None:
    await database.fetch(_FINISH, run_id, holder)


def _run(row: Row) -> Run:
    return Run(**{name: row[name] for name in Run.__slots__})
