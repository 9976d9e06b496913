"""Fire what is due: one statement for a batch makes the runs, the jobs, the outbox rows, and moves the schedules on.

A turn is done if its schedule is still as it was loaded: active, of the same version, with the same next due time,
which is to fire by now, all by the database's clock.  So of two clocks with the same turn one finds nothing to do, and
one that was frozen comes too late.  Schedules are locked in the order of their ids, and no jobs are locked before them.

Overlap is judged where it is decided: against the jobs of the runs that are still open.  A run that exists already is
left alone.  What cannot be stored is skipped, with its reason, and the schedule goes on; nothing here stops a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from persistence.accepting.accept import GRACE_SECONDS
from persistence.accepting.births import columns, first_post
from persistence.accepting.outbox import Post
from persistence.accepting.submission import Submission
from persistence.ending.cancel import cancel_all
from persistence.schedules.job import BORN
from persistence.schedules.schedule import Because, Fate, Kind, Next, Overlap, Schedule
from persistence.store.bisect import each_that_fits
from persistence.store.database import Row
from wire.metrics import table as metrics

MOST: Final = 1_000  # turns a statement


@dataclass(frozen=True, slots=True)
class Missed:
    """Due times that passed while no clock ran; kept as one row, at the last of them."""

    count: int
    first: datetime
    last: datetime

    @property
    def because(self) -> str:
        return Because.NO_CLOCK if self.count == 1 else f"{Because.NO_CLOCK}: {self.count} since {self.first:%FT%TZ}"


@dataclass(frozen=True, slots=True)
class Turn:
    """One step of a schedule, as it was loaded: what fires, what was missed, and where it goes from there.

    A due time a turn: who has several to fire takes several turns, each loaded anew.  With nothing to fire the schedule
    only moves on.  Without a job the due time is skipped, because nobody has registered its type.
    """

    schedule: Schedule
    coming: Next
    due_at: datetime | None = None
    fires_at: datetime | None = None
    kind: Kind = Kind.DUE
    job: Submission | None = None
    missed: Missed | None = None
    refused: Because = Because.TYPE_UNKNOWN  # why there is no job, if there is none


@dataclass(frozen=True, slots=True)
class Fired:
    """What has come of turns: a schedule that is in none of these was not as its turn had it, and nothing was done."""

    posts: list[Post] = field(default_factory=list)  # messages to publish
    fates: Mapping[UUID, Fate | None] = field(default_factory=dict)  # by schedule; None: it only moved on
    asked: list[tuple[UUID, int]] = field(default_factory=list)  # running jobs that are to end, and their leases


# Of a schedule `s`: one of its runs has a job that has not ended.  OFFSET: asked of each, never all of them hashed
OPEN: Final = """EXISTS (
    SELECT FROM schedule_runs r CROSS JOIN LATERAL (
           SELECT FROM jobs j WHERE j.id = r.job_id AND j.state IN ('scheduled', 'queued', 'retrying', 'running')
           OFFSET 0) j
     WHERE r.segment = s.segment AND r.schedule_id = s.id AND r.fate = 'fired' AND r.ended_at IS NULL OFFSET 0)"""

_WAITS = """EXISTS (
    SELECT FROM schedule_runs r
     WHERE r.segment = s.segment AND r.schedule_id = s.id AND r.fate = 'buffered' AND r.kind <> 'backfill' OFFSET 0)"""

_FIRE = f"""
WITH s AS MATERIALIZED (
  SELECT found.*, a.*
    FROM (SELECT DISTINCT ON (schedule_id) *
            FROM unnest((SELECT $16::uuid[]), $17::int[], $18::timestamptz[], $19::timestamptz[], $20::timestamptz[],
                        $21::text[], $22::uuid[], $23::text[], $24::int[], $25::timestamptz[], $26::text[],
                        $27::timestamptz[], $28::timestamptz[])
            AS a(schedule_id, version, expected, due_at, fires_at, kind, job_id, refused, missed, last_missed,
                 missed_because, coming_due, coming_fire)
           ORDER BY schedule_id, due_at) a
   CROSS JOIN LATERAL (
     SELECT id, segment, overlap, fired, max_runs FROM schedules
      WHERE id = a.schedule_id AND version = a.version AND next_due = a.expected AND state = 'active'
        AND next_fire_at <= (SELECT clock_timestamp())
        FOR UPDATE OFFSET 0) found
), looked AS MATERIALIZED (
  SELECT s.*,
         CASE WHEN due_at IS NOT NULL AND overlap IN ('skip', 'buffer_one', 'buffer_all')
              THEN {OPEN} OR overlap = 'buffer_all' AND {_WAITS} END AS busy,
         CASE WHEN due_at IS NOT NULL AND overlap = 'buffer_one' THEN {_WAITS} END AS one_waits
    FROM s
), judged AS MATERIALIZED (
  SELECT *, CASE
      WHEN due_at IS NULL THEN NULL
      WHEN job_id IS NULL THEN 'skipped'
      WHEN overlap IN ('allow', 'cancel_previous') OR NOT (busy OR one_waits IS TRUE) THEN 'fired'
      WHEN overlap = 'buffer_all' OR overlap = 'buffer_one' AND NOT one_waits THEN 'buffered'
      ELSE 'skipped' END AS fate
    FROM looked
), made AS (
  INSERT INTO schedule_runs (schedule_id, due_at, segment, kind, fate, because, job_id, fires_at)
  SELECT id, due_at, segment, kind, fate,
         CASE WHEN job_id IS NULL THEN refused WHEN fate = 'skipped' AND one_waits THEN 'one_waits'
              WHEN fate = 'skipped' THEN 'overlap' END,
         CASE WHEN fate = 'fired' THEN job_id END, fires_at
    FROM judged WHERE fate IS NOT NULL ORDER BY id
      ON CONFLICT (schedule_id, due_at) DO NOTHING
  RETURNING schedule_id, fate, job_id
), noted AS (
  INSERT INTO schedule_runs (schedule_id, due_at, segment, kind, fate, because, fires_at)
  SELECT id, last_missed, segment, 'due', 'missed', missed_because, last_missed FROM judged WHERE missed > 0 ORDER BY id
      ON CONFLICT (schedule_id, due_at) DO NOTHING
), {BORN}, moved AS (
  UPDATE schedules s
     SET next_due = CASE WHEN NOT over THEN coming_due END, next_fire_at = CASE WHEN NOT over THEN coming_fire END,
         state = CASE WHEN over THEN 'ended' ELSE 'active' END,
         fired = s.fired + n.fired, skipped = s.skipped + n.skipped, missed = s.missed + n.missed
    FROM (SELECT j.id, j.coming_due, j.coming_fire, j.missed, (made.fate IS NOT DISTINCT FROM 'fired')::int AS fired,
                 (made.fate IS NOT DISTINCT FROM 'skipped')::int AS skipped,
                 j.coming_due IS NULL
                   OR (j.fired + (made.fate IS NOT DISTINCT FROM 'fired')::int >= j.max_runs) IS TRUE AS over
            FROM judged j LEFT JOIN made ON made.schedule_id = j.id) n
   WHERE s.id = n.id
)
SELECT s.id, made.fate, made.job_id, posted.seq,
       CASE WHEN s.overlap = 'cancel_previous' AND made.fate = 'fired' THEN ARRAY(
         SELECT r.job_id FROM schedule_runs r
          WHERE r.segment = s.segment AND r.schedule_id = s.id AND r.fate = 'fired' AND r.ended_at IS NULL)
       END AS previous
  FROM judged s LEFT JOIN made ON made.schedule_id = s.id LEFT JOIN posted ON posted.job_id = made.job_id
"""  # noqa: S608 - made of constants


async def fire(connection: asyncpg.Connection, turns: Sequence[Turn]) -> Fired:
    """Do these, at most 1,000, one a schedule; one that Postgres cannot store is skipped and fails no other."""

    async def store(some: list[Turn]) -> list[Fired]:
        return [await _fire(connection, some)]

    done, refused = await each_that_fits(turns, store) if turns else ([], [])
    if refused:
        skipped = [replace(turn, job=None, refused=Because.UNSTORABLE) for turn, _ in refused]
        done.append(await _fire(connection, skipped))
    return joined(done)


def joined(parts: Sequence[Fired]) -> Fired:
    """All of it."""
    fates = {schedule_id: fate for part in parts for schedule_id, fate in part.fates.items()}
    return Fired([post for part in parts for post in part.posts], fates, [one for part in parts for one in part.asked])


async def _fire(connection: asyncpg.Connection, turns: Sequence[Turn]) -> Fired:
    if not any(turn.schedule.plan.overlap is Overlap.CANCEL_PREVIOUS for turn in turns):
        return _fired(turns, await _rows(connection, turns))
    async with connection.transaction():
        rows = await _rows(connection, turns)
        previous = sorted({job_id for row in rows for job_id in row["previous"] or ()})
        asked = await cancel_all(connection, previous) if previous else []
    return replace(_fired(turns, rows), asked=asked)


async def _rows(connection: asyncpg.Connection, turns: Sequence[Turn]) -> Sequence[Row]:
    jobs = [turn.job for turn in turns if turn.job]
    given = [list(column) for column in zip(*map(_asked, turns), strict=True)]
    rows: Sequence[Row] = await connection.fetch(_FIRE, *(columns(jobs) or NO_JOBS), GRACE_SECONDS, *given)
    return rows


def _asked(turn: Turn) -> tuple[object, ...]:
    schedule, missed = turn.schedule, turn.missed
    return (
        schedule.id, schedule.version, schedule.next.due_at, turn.due_at, turn.fires_at or turn.due_at, turn.kind,
        turn.job and turn.job.id, turn.refused, missed.count if missed else 0, missed and missed.last,
        missed and missed.because, *turn.coming,
    )  # fmt: skip


def _fired(turns: Sequence[Turn], rows: Sequence[Row]) -> Fired:
    jobs = {turn.job.id: turn.job for turn in turns if turn.job}
    fates = {row["id"]: Fate(row["fate"]) if row["fate"] else None for row in rows}
    posts = posts_of(jobs, rows)
    return Fired(posts, fates)


def posts_of(jobs: Mapping[UUID, Submission], rows: Sequence[Row]) -> list[Post]:
    """The messages of the jobs that these rows say were born, in the order of the outbox."""
    posts = [first_post(jobs[row["job_id"]], row["seq"]) for row in rows if row["seq"] is not None]
    for post in posts:
        metrics.JOBS_SUBMITTED.add(post.type)
    return sorted(posts, key=lambda post: post.seq)


NO_JOBS: Final[list[list[object]]] = [[] for _ in range(14)]
