"""What people ask about jobs: one job, a page of jobs, a job's attempts.

Reads are keyset-paged by (created_at, id), newest first, so that page 1,000 costs what page 1 costs.  Pages with
numbers and totals are for programs that know no others: they walk the index up to their page, and take the total from
the sums of counts.py where those tell their filters apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from persistence.attempts.retry_plan import Backoff, PlannedAttempt, plan
from persistence.questions import counts
from persistence.questions.artifacts import IS_RESULT
from persistence.questions.pages import NEWEST, Asked, Filter, Place, ways
from persistence.questions.walks import ANYWHERE, MOST_OF_CROWD, Walk, shortest
from persistence.store.database import Database, Row
from wire.envelope import payload_of
from wire.scheduled import Scheduled, scheduled
from wire.states import FILTERS, FINAL, State
from wire.tracing import TRACEPARENT, Trace


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands; payload and result are JSON text, exactly as they were sent and returned."""

    id: UUID
    type: str
    queue: str
    state: State
    reason: str | None
    priority: int
    payload: bytes
    result: str | None
    error_type: str | None
    error_message: str | None
    attempt: int
    max_retries: int
    timeout_seconds: float
    created_at: datetime
    scheduled_for: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime | None
    retry_plan: list[PlannedAttempt] | None
    expires_at: datetime | None
    cancel_requested_at: datetime | None
    progress: float | None
    note: str | None
    worker: str | None
    tags: tuple[str, ...]
    batch_id: UUID | None
    redriven_from: int | None  # the dead letter that it was made of
    reply_to: str | None  # the queue that its sender wants the outcome in
    correlation_id: str | None
    trace_id: str
    scheduled: Scheduled | None = None  # by whom it was made, if by a schedule
    result_artifact: UUID | None = None  # where its result is, if that is too large for a row
    result_bytes: int | None = None

    @property
    def finished(self) -> bool:
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class Attempt:
    """One lease of a job, ended."""

    lease: int
    run: int
    attempt: int
    outcome: str
    reason: str | None
    worker: str
    started_at: datetime
    finished_at: datetime
    retry_after_seconds: float | None
    error_type: str | None
    error_message: str | None
    traceback: str | None


_JOB = f"""
SELECT j.*, w.name AS worker, t.retry_base_seconds, t.retry_max_seconds,
       (SELECT max(d.id) FROM dead_letters d WHERE d.redriven_as = j.id) AS redriven_from,
       r.id AS result_artifact, r.size_bytes AS result_bytes
  FROM {{jobs}} j LEFT JOIN workers w ON w.session = j.holder LEFT JOIN job_types t ON t.name = j.type
       LEFT JOIN LATERAL (
         SELECT a.id, a.size_bytes FROM artifacts a WHERE j.result IS NULL AND a.job_id = j.id AND {IS_RESULT} LIMIT 1
       ) r ON true
"""  # noqa: S608 - made of a constant

_ONE = _JOB.format(jobs="jobs") + " WHERE j.id = $1"
_COUNT = "SELECT count(*) AS number FROM jobs j"
_LAST = f"SELECT j.created_at, j.id FROM {{jobs}} j {NEWEST} OFFSET {{number}} LIMIT 1"  # noqa: S608 - made of a constant
_ATTEMPTS = "SELECT * FROM attempts WHERE job_id = $1 ORDER BY lease"
_SIZE = "SELECT total FROM batches WHERE id = $1"  # without what is not folded yet: it is a matter of thousands
_FEW_OF_SCHEDULE = """
SELECT count(*) AS jobs FROM (SELECT FROM jobs WHERE schedule_id = $1 ORDER BY schedule_id, created_at, id LIMIT $2) j
"""
_FINISHED = "SELECT id FROM jobs WHERE id = ANY($1) AND state <> ALL($2)"


async def one_job(database: Database, job_id: UUID) -> Job | None:
    rows = await database.read(_ONE, job_id)
    return _job(rows[0]) if rows else None


async def page_of_jobs(database: Database, wanted: Filter, limit: int, after: Place | None = None) -> list[Job]:
    """At most `limit` jobs, newest first, from behind `after`."""
    walk = await _walk(database, wanted, limit)
    if walk is None:
        return []
    found: list[Job] = []
    for asked, page in ways(wanted, walk, "*", limit, after):
        rows = await database.read(f"{_JOB.format(jobs=page)} {NEWEST}", *asked.arguments)
        found = [_job(row) for row in rows]
        if len(found) >= limit:
            break
    return found


async def numbered_page(database: Database, wanted: Filter, limit: int, skipped: int) -> tuple[list[Job], int]:
    """At most `limit` jobs, newest first, from behind the first `skipped`, and how many there are in all."""
    after = await _place_of(database, wanted, skipped) if skipped else None
    found = [] if skipped and after is None else await page_of_jobs(database, wanted, limit, after)
    if len(found) < limit and (found or not skipped):
        return found, skipped + len(found)  # the last page: nothing is left to be counted
    total = await _number_of(database, wanted)
    return found, max(total, skipped + len(found)) if found else total  # some may have gone between the two looks


async def _number_of(database: Database, wanted: Filter) -> int:
    """From the sums that are kept, where they tell these filters apart; else by counting what the index has."""
    if wanted.counted and wanted.since is None:
        return sum(c.matching for c in await _crowds(database, wanted) if c.state is None and c.type is None)
    asked = Asked(wanted)
    (row,) = await database.read(f"{_COUNT} {asked.where}", *asked.arguments)
    return int(row["number"])


async def _place_of(database: Database, wanted: Filter, number: int) -> Place | None:
    """Where the first so many end; from the index, because what would be skipped need not be joined."""
    walk = await _walk(database, wanted, number)
    if walk is None:
        return None
    for asked, page in ways(wanted, walk, "j.created_at, j.id", number):
        last = _LAST.format(jobs=page, number=asked.put(number - 1))
        rows = await database.read(last, *asked.arguments)
        if rows:
            return Place(rows[0]["created_at"], rows[0]["id"])
    return None


async def _walk(database: Database, wanted: Filter, limit: int) -> Walk | None:
    states = FILTERS[wanted.state] if wanted.state else ()
    kinds = len(states) + (wanted.type is not None)
    crowds = (wanted.batch_id is not None) + (wanted.schedule_id is not None)
    alone = wanted.queue is None and wanted.tag is None  # then there is an index for just one kind, batch or schedule
    only = alone and not kinds and crowds == 1
    if wanted.batch_id is not None and (only or await _is_small(database, wanted.batch_id)):
        return Walk("batch_id", (wanted.batch_id,))
    if wanted.schedule_id is not None and (only or await _has_few(database, wanted.schedule_id)):
        return Walk("schedule_id", (wanted.schedule_id,))
    if not crowds and alone and kinds == 1:
        return Walk("type", (wanted.type,)) if wanted.type else Walk("state", tuple(states))
    if (alone and kinds <= 1) or (wanted.queue is None and not kinds):
        return ANYWHERE
    return shortest(await _crowds(database, wanted), limit, counted=wanted.counted)


async def _is_small(database: Database, batch_id: UUID) -> bool:
    """False too where jobs name a batch that nobody knows: they may be many."""
    rows = await database.read(_SIZE, batch_id)
    return bool(rows) and rows[0]["total"] <= MOST_OF_CROWD


async def _has_few(database: Database, schedule_id: UUID) -> bool:
    """Counted in its index, as far as it matters: what it has fired is not what retention has left."""
    (row,) = await database.read(_FEW_OF_SCHEDULE, schedule_id, MOST_OF_CROWD + 1)
    return bool(row["jobs"] <= MOST_OF_CROWD)


async def _crowds(database: Database, wanted: Filter) -> list[counts.Crowd]:
    states = FILTERS[wanted.state] if wanted.state else None
    return await counts.crowds(database, states, wanted.type, wanted.queue)


async def attempts_of(database: Database, job_id: UUID) -> list[Attempt]:
    """All ended attempts of a job, oldest first."""
    return [_attempt(row) for row in await database.read(_ATTEMPTS, job_id)]


async def finished_among(database: Database, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these jobs have ended (or are gone): one look for all who wait."""
    rows = await database.read(_FINISHED, list(ids), [state.value for state in FINAL])
    return set(ids) - {row["id"] for row in rows}


def _job(row: Row) -> Job:
    trace = Trace.of({TRACEPARENT: row["traceparent"]})
    return Job(
        **{name: row[name] for name in _PLAIN},
        state=State(row["state"]),
        payload=payload_of(row["body"]),
        tags=tuple(row["tags"] or ()),
        retry_plan=_plan(row),
        next_attempt_at=None if State(row["state"]) in FINAL else row["next_attempt_at"],  # a cancelled job keeps its
        trace_id=trace.trace_id if trace else "",
        scheduled=scheduled(row["body"]),
    )


def _plan(row: Row) -> list[PlannedAttempt] | None:
    if row["retry_base_seconds"] is None:
        return None  # its type is registered nowhere any more
    backoff = Backoff(row["retry_base_seconds"], row["retry_max_seconds"])
    return plan(State(row["state"]), row["attempt"], row["max_retries"], row["next_attempt_at"], backoff)


def _attempt(row: Row) -> Attempt:
    return Attempt(**{name: row[name] for name in Attempt.__slots__})


_PLAIN = [
    name
    for name in Job.__slots__
    if name not in ("state", "payload", "tags", "retry_plan", "next_attempt_at", "trace_id", "scheduled")
]
