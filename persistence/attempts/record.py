"""What became of these attempts: one statement and one commit for the batch, before anything is acked.

The attempt's row is written in any case; the job changes only where the lease still holds, and a late outcome is kept
as `superseded` so that double runs are seen.  The statement that decides that another message is due (retry, snooze,
interruption) inserts its outbox row, so that publishing it is never a step that can be lost.  Jobs that the attempt
submitted come to life in the same transaction, and only if it completed.

A row may be behind, because Postgres has crashed and forgotten the claim (forgettable.py) or was restored from an older
copy: it waits, under an earlier lease.  Then it learns here what was claimed and what came of it.

Where all of a batch have completed, a shorter statement does it, because the long one takes so long to set up that it
shows (36 µs a job in batches of forty, the short one 29); what it finds otherwise than it expects it leaves to the long
one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from persistence.accepting.accept import insert
from persistence.accepting.outbox import Post
from persistence.accepting.submission import Submission
from persistence.store.database import Database, Row
from persistence.store.given import many, single
from wire.states import Outcome, Reason, State

NO_WAIT: Final = timedelta(0)
MOST_TEXT: Final = 16_384  # of a traceback; the end tells more than the beginning


class Ending(Struct, frozen=True):  # made in C, as are those below: there is one of each for every job
    """How one lease ended and what that makes of its job."""

    job_id: UUID
    lease: int
    run: int
    attempt: int
    worker: str
    outcome: Outcome
    state: State
    started_at: datetime
    finished_at: datetime
    reason: Reason | None = None
    result: str | None = None
    progress: float | None = None  # the last word, if it was not written yet
    note: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    traceback: str | None = None
    again_after: timedelta | None = None  # another message is due after this
    counted: bool = True  # False: the attempt is given back (snooze, shutdown)
    children: tuple[Submission, ...] = ()


class Recorded(Struct, frozen=True):
    """What the record made of an ending."""

    current: bool  # False: the lease had passed to another
    state: State | None
    next_run: int = 0
    post_seq: int | None = None
    wait: timedelta = timedelta(0)


COMPLETED: Final = Recorded(current=True, state=State.COMPLETED)

# How it is driven, and why a row is asked once more at its place, is told in claim.py.  The holder is asked for too,
# here and below: a lease that Postgres has forgotten may have been given to another once more.
_COMPLETING = """
WITH changed AS (
  UPDATE jobs j
     SET state = 'completed', reason = NULL, result = f.result::json, error_type = NULL, error_message = NULL,
         progress = coalesce(f.progress, j.progress), note = coalesce(f.note, j.note), next_attempt_at = NULL,
         finished_at = f.finished_at, orphaned_at = NULL
    FROM (
      SELECT g.*, i.place
        FROM (SELECT * FROM {given}
                AS g(id, lease, run, attempt, worker, started_at, finished_at, result, progress, note) ORDER BY id) g
       CROSS JOIN LATERAL (SELECT ctid AS place, lease, holder, state FROM jobs WHERE id = g.id OFFSET 0) i
       WHERE i.lease = g.lease AND i.holder = $11 AND i.state = 'running' OFFSET 0) f
   WHERE j.ctid = f.place AND (j.lease = f.lease AND j.holder = $11 AND j.state = 'running') IS TRUE
  RETURNING f.id, f.lease, f.run, f.attempt, f.worker, f.started_at, f.finished_at
)
INSERT INTO attempts (job_id, lease, run, attempt, outcome, worker, started_at, finished_at)
SELECT id, lease, run, attempt, 'completed', worker, started_at, finished_at FROM changed
RETURNING job_id
"""
_TYPES: Final = ("uuid", "int", "int", "int", "text", "timestamptz", "timestamptz", "text", "float8", "text")
_COMPLETE: Final = _COMPLETING.format(given=many(*_TYPES))
_COMPLETE_ONE: Final = _COMPLETING.format(given=single(*_TYPES))

_RECORD = """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[],
                       $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[],
                       $14::text[], $15::float8[], $16::bool[], $17::float8[], $18::text[])
    AS g(id, lease, run, attempt, worker, outcome, state, started_at, finished_at, reason, result, error_type,
         error_message, traceback, again_after, counted, progress, note)
), locked AS MATERIALIZED (
  SELECT id, lease, holder, run, state, cancel_requested_at FROM jobs WHERE id = ANY($1) ORDER BY id FOR UPDATE
), seen AS MATERIALIZED (
  SELECT id, l.state = 'running' AND l.lease = g.lease AND l.holder = $19 AS held,
         l.state IN ('queued', 'scheduled', 'retrying') AND l.lease < g.lease AND l.run <= g.run AS behind
    FROM given g JOIN locked l USING (id)
), judged AS MATERIALIZED (
  SELECT g.*, l.id IS NOT NULL AS known, coalesce(s.held OR s.behind, false) AS current, s.behind,
         g.again_after IS NOT NULL AND l.cancel_requested_at IS NULL AS again,
         CASE WHEN g.again_after IS NOT NULL AND l.cancel_requested_at IS NOT NULL THEN 'cancelled' ELSE g.state END
           AS new_state
    FROM given g LEFT JOIN locked l ON l.id = g.id LEFT JOIN seen s ON s.id = g.id
), changed AS (
  UPDATE jobs j
     SET state = g.new_state, reason = g.reason, result = g.result::json, error_type = g.error_type,
         error_message = g.error_message, progress = coalesce(g.progress, j.progress), note = coalesce(g.note, j.note),
         lease = g.lease, holder = $19, started_at = CASE WHEN g.behind THEN g.started_at ELSE j.started_at END,
         run = greatest(j.run, g.run) + g.again::int,
         queue = CASE WHEN g.again THEN coalesce((SELECT t.queue FROM job_types t WHERE t.name = j.type), j.queue)
                      ELSE j.queue END,
         attempt = greatest(j.attempt, g.attempt) - (NOT g.counted)::int,
         next_attempt_at = CASE WHEN g.again THEN clock_timestamp() + make_interval(secs => g.again_after) END,
         finished_at = CASE WHEN NOT g.again THEN g.finished_at END,
         orphaned_at = NULL
    FROM judged g WHERE j.id = g.id AND g.current
  RETURNING j.id, j.run, j.state, j.next_attempt_at, g.again, j.error_message
), noted AS (
  INSERT INTO attempts AS a (job_id, lease, run, attempt, outcome, reason, worker, started_at, finished_at,
                        retry_after_seconds, error_type, error_message, traceback)
  SELECT id, lease, run, attempt, CASE WHEN current THEN outcome ELSE 'superseded' END, reason, worker, started_at,
         finished_at, again_after, error_type, error_message, traceback
    FROM judged WHERE known  -- nobody would ever delete the attempt of a job that is gone
      ON CONFLICT (job_id, lease) DO UPDATE  -- it was judged dead and has come to its end after all
         SET outcome = excluded.outcome, reason = excluded.reason, finished_at = excluded.finished_at,
             retry_after_seconds = excluded.retry_after_seconds, error_type = excluded.error_type,
             error_message = excluded.error_message, traceback = excluded.traceback
       WHERE a.outcome IN ('crashed', 'interrupted') AND a.error_type = 'WorkerLost'
), posted AS (
  INSERT INTO outbox (job_id, run, due_at, exact, because, publish_after)
  SELECT id, run, next_attempt_at, false, left(error_message, 200), clock_timestamp() + interval '10 seconds'
    FROM changed WHERE again ORDER BY id
  RETURNING seq, job_id
)
SELECT g.id, g.current, c.state, c.run, posted.seq,
       extract(epoch FROM c.next_attempt_at - clock_timestamp())::float8 AS wait_seconds
  FROM judged g LEFT JOIN changed c ON c.id = g.id LEFT JOIN posted ON posted.job_id = g.id
"""


async def record(
    database: Database, endings: Sequence[Ending], holder: UUID
) -> tuple[dict[UUID, Recorded], list[Post]]:
    """Commit these endings of one session; what became of each by job id, and the children's messages to publish."""
    recorded = await _complete(database, endings, holder) if all(map(_plain, endings)) else {}
    left = [ending for ending in endings if ending.job_id not in recorded] if recorded else endings
    if not left:
        return recorded, []
    columns = [*(list(column) for column in zip(*map(_columns, left), strict=True)), holder]
    if not any(ending.children for ending in left):  # one statement, one round trip
        rows = await database.fetch(_RECORD, *columns)
        return recorded | {row["id"]: _recorded(row) for row in rows}, []
    async with database.transaction() as transaction:
        recorded |= {row["id"]: _recorded(row) for row in await transaction.fetch(_RECORD, *columns)}
        return recorded, await _bear_children(transaction, left, recorded)


def _plain(ending: Ending) -> bool:
    return ending.outcome is Outcome.COMPLETED and not ending.children


async def _complete(database: Database, endings: Sequence[Ending], holder: UUID) -> dict[UUID, Recorded]:
    """Those that it was easy to record."""
    rows_given = [_completed_columns(ending) for ending in endings]
    try:
        if len(rows_given) == 1:
            rows = await database.fetch(_COMPLETE_ONE, *rows_given[0], holder)
        else:
            columns = (list(column) for column in zip(*rows_given, strict=True))
            rows = await database.fetch(_COMPLETE, *columns, holder)
    except asyncpg.UniqueViolationError:  # one of them was judged dead meanwhile, and its attempt has a row
        return {}
    return {row["job_id"]: COMPLETED for row in rows}


def _completed_columns(e: Ending) -> tuple[object, ...]:
    return (
        e.job_id, e.lease, e.run, e.attempt, e.worker, e.started_at, e.finished_at, e.result, e.progress,
        _storable(e.note),
    )  # fmt: skip


async def _bear_children(
    transaction: asyncpg.Connection, endings: Sequence[Ending], recorded: dict[UUID, Recorded]
) -> list[Post]:
    # a superseded attempt has no children: the attempt that holds the lease will submit its own
    current = {c.id: c for ending in endings if recorded[ending.job_id].current for c in ending.children}
    return await insert(transaction, sorted(current.values(), key=lambda child: child.id))


def _columns(e: Ending) -> tuple[object, ...]:
    return (
        e.job_id, e.lease, e.run, e.attempt, e.worker, e.outcome.value, e.state.value, e.started_at, e.finished_at,
        e.reason and e.reason.value, e.result, _storable(e.error_type), _storable(e.error_message),
        _storable(e.traceback), None if e.again_after is None else e.again_after.total_seconds(), e.counted,
        e.progress, _storable(e.note),
    )  # fmt: skip


def _storable(text: str | None) -> str | None:
    """What an exception says may hold anything; Postgres takes no NUL and no lone surrogate."""
    if text is None:
        return None
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[-MOST_TEXT:]


def _recorded(row: Row) -> Recorded:
    seconds = row["wait_seconds"]
    return Recorded(
        row["current"],
        State(row["state"]) if row["state"] else None,
        row["run"] or 0,
        row["seq"],
        timedelta(seconds=seconds) if seconds is not None and seconds > 0 else NO_WAIT,
    )
