"""Which of these deliveries may run: one statement for the batch, one word of answer for each.

Most are plain: the message is the current one of a job that waits, is due and was in no crash.  A short statement
starts those and looks at nothing else; what it leaves is judged by the long one, which knows every case and takes so
long to set up that it shows (36 µs a job in batches of forty, the short one 26).

Every delivery gets an answer; a delivery without one is asked about again and never acked.  A start takes the next
lease, and only the current lease may write the outcome.  The database's clock decides what is early and what has
expired.  Rows are locked in the order of their ids, or batches deadlock against each other (measured: 16 of 20).

A job that has been in a crash is a suspect, and of suspects only as many are claimed as the caller has room for; the
others go back into the ladder here and now.  Were they claimed and returned afterwards, a killer that kills at once
would always die beside them, and never as the sole suspect.

A job whose type is paused is not claimed but held: its next message lies in the outbox until the type is resumed (see
pauses.py).  What was running when its worker died is held as well.

A start may be forgotten if Postgres crashes: see forgettable.py.  Whatever else is decided here is acked for, and
waits for the disk.

Births come first, in a statement of their own: one combined statement loses the race against the recorder (measured).
A holder that is found dead is buried in a statement of its own too (see crashes.py), and its job asked about again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct

from persistence.accepting.births import bear
from persistence.accepting.submission import Submission
from persistence.crew.crashes import bury
from persistence.store.database import Database, Row
from persistence.store.forgettable import MAY_BE_FORGOTTEN
from persistence.store.given import many, single


class Answer(StrEnum):
    CLAIMED = "claimed"
    PARKED = "parked"  # not due yet, or not its turn: back into the ladder, by the outbox row written here
    STALE = "stale"  # a copy of an older run: ack
    FINISHED = "finished"  # ack
    PAUSED = "paused"  # its type stands still, and the outbox holds its next message: ack
    GONE = "gone"  # deleted, its tombstone stands: ack
    HELD = "held"  # runs elsewhere, its holder lives; see Claim.silent
    ENDED = "ended"  # cancelled or expired here and now: ack
    ORPHAN = "orphan"  # it has a run, but no row knows it: dead letter
    ID_REUSED = "id_reused"  # another body under the same id: dead letter
    UNBORN = "unborn"  # came by the public door and has no row yet: bear it and ask again


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a claim needs to know of a delivery."""

    id: UUID
    run: int | None  # None: by the public door
    body_hash: bytes
    birth: Submission | None = None


class Claim(Struct, frozen=True):  # made in C: there is one for every job
    """The answer to one delivery."""

    answer: Answer
    lease: int = 0
    run: int = 0
    attempt: int = 0
    max_retries: int = 0
    timeout_seconds: float = 0.0
    traceparent: str = ""
    tracestate: str = ""
    crashes: int = 0
    due_at: datetime | None = None
    first: bool = False  # its first start, by a message of ours: it came in its turn, and tells how far its queue is
    post_seq: int | None = None  # PARKED: the outbox row to publish
    wait: timedelta = timedelta(0)
    silent: timedelta = timedelta(0)  # HELD: since its holder's last heartbeat


# Driven from the batch in the order of ids, row by row: batches never lock crosswise, and a plan made while the table
# was empty suits a full one.  A row that somebody changes between the look and the update is waited for, and asked once
# more what can have changed: whatever touches a job that waits changes its run, its state or its wish to be cancelled.
# It is asked in a form that no index serves (IS TRUE), and OFFSET keeps what is asked at first out of the index too; to
# lock all rows before the update cost more.  Its plan is kept (see given.py): to plan anew each time is half of what
# one job costs (1,500 µs with its record, 900 without).
_STARTING = """
UPDATE jobs j
   SET state = 'running', lease = j.lease + 1, attempt = j.attempt + 1, holder = $4, started_at = clock_timestamp(),
       finished_at = NULL, next_attempt_at = NULL, progress = NULL, note = NULL, orphaned_at = NULL
  FROM (
    SELECT g.run AS given_run, i.place, i.run, i.due_at
      FROM (SELECT * FROM {given} AS g(id, run, body_hash) ORDER BY id) g
     CROSS JOIN LATERAL (
       SELECT ctid AS place, type, state, run, crashes, body_hash, expires_at,
              coalesce(next_attempt_at, scheduled_for) AS due_at
         FROM jobs WHERE id = g.id OFFSET 0) i
     WHERE {lightly} i.state IN ('queued', 'scheduled', 'retrying')
       AND greatest(g.run, 1) = i.run AND (g.run > 0 OR g.body_hash = i.body_hash)
       AND i.crashes = 0 AND (i.expires_at <= clock_timestamp()) IS NOT TRUE
       AND (i.due_at > clock_timestamp()) IS NOT TRUE
       AND i.type <> ALL(ARRAY(SELECT name FROM pauses WHERE kind = 'type'))
    OFFSET 0) f
 WHERE j.ctid = f.place
   AND (j.run = f.run AND j.state IN ('queued', 'scheduled', 'retrying') AND j.cancel_requested_at IS NULL) IS TRUE
RETURNING j.id, j.lease, j.run, j.attempt, j.max_retries, j.timeout_seconds, j.traceparent, j.tracestate,
          coalesce(f.due_at, j.created_at) AS came_due_at, j.lease = 1 AND f.given_run > 0 AS first
"""
_TYPES: Final = ("uuid", "int", "bytea")
_LIGHTLY: Final = f"{MAY_BE_FORGOTTEN} AND"
_START: Final = _STARTING.format(given=many(*_TYPES), lightly=_LIGHTLY)
_START_ONE: Final = _STARTING.format(given=single(*_TYPES), lightly=_LIGHTLY)
_START_BORN: Final = _STARTING.format(given=many(*_TYPES), lightly="")  # with births, which are promised

# Of one that came alone, by its first message: it has not waited for a retry, so nothing of what was is asked for, and
# its row is found by its id and written where it is found (0.84 ms for 0.91 there and back, where all code is cold).
_START_FIRST: Final = f"""
UPDATE jobs
   SET state = 'running', lease = lease + 1, attempt = attempt + 1, holder = $2, started_at = clock_timestamp(),
       finished_at = NULL, progress = NULL, note = NULL, orphaned_at = NULL
 WHERE {MAY_BE_FORGOTTEN} AND id = $1
   AND (run = 1 AND state IN ('queued', 'scheduled') AND next_attempt_at IS NULL AND crashes = 0
        AND cancel_requested_at IS NULL) IS TRUE
   AND (expires_at <= clock_timestamp()) IS NOT TRUE AND (scheduled_for > clock_timestamp()) IS NOT TRUE
   AND type <> ALL(ARRAY(SELECT name FROM pauses WHERE kind = 'type'))
RETURNING id, lease, run, attempt, max_retries, timeout_seconds, traceparent, tracestate,
          coalesce(scheduled_for, created_at) AS came_due_at, lease = 1 AS first
"""  # noqa: S608 - made of a constant

_JUDGE = """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::bytea[]) AS g(id, run, body_hash)
), locked AS MATERIALIZED (
  SELECT id, type, state, run, holder, orphaned_at, body_hash, expires_at, cancel_requested_at, created_at,
         coalesce(next_attempt_at, scheduled_for) AS due_at, crashes
    FROM jobs WHERE id = ANY($1) ORDER BY id FOR UPDATE
), answered AS MATERIALIZED (
  SELECT given.id, given.run AS given_run, l.due_at, coalesce(l.due_at, l.created_at) AS came_due_at, l.holder,
         l.crashes > 0 AS suspect, l.type = ANY(ARRAY(SELECT name FROM pauses WHERE kind = 'type')) AS paused, CASE
    WHEN l.id IS NULL THEN CASE
      WHEN EXISTS (SELECT FROM tombstones t WHERE t.id = given.id OFFSET 0) THEN 'gone'  -- never all of them hashed
      WHEN given.run > 0 THEN 'orphan' ELSE 'unborn' END
    WHEN given.run = 0 AND given.body_hash <> l.body_hash THEN 'id_reused'
    WHEN greatest(given.run, 1) < l.run THEN 'stale'
    WHEN given.run > l.run THEN 'claim'  -- the row is behind: Postgres was restored from an older copy
    WHEN l.state IN ('completed', 'failed', 'cancelled', 'expired') THEN 'finished'
    WHEN l.state = 'running' AND l.holder IS DISTINCT FROM $4 AND l.orphaned_at IS NULL THEN CASE
      WHEN EXISTS (SELECT FROM workers w WHERE w.session = l.holder AND w.ended_at IS NULL AND (
                     w.heartbeat_at > clock_timestamp() - make_interval(secs => $5)
                     -- after an outage everybody has been silent: who has not beaten for a lease himself cannot judge
                     OR NOT EXISTS (SELECT FROM workers me WHERE me.session = $4
                                       AND me.steady_since < clock_timestamp() - make_interval(secs => $5))))
      THEN 'held' ELSE 'dead' END
    WHEN l.cancel_requested_at IS NOT NULL THEN 'cancel'
    WHEN l.state = 'running' AND l.holder IS DISTINCT FROM $4 THEN 'take_over'
    WHEN l.state = 'running' THEN 'reclaim'  -- our own claim whose answer was lost with the connection
    WHEN l.expires_at <= clock_timestamp() THEN 'expire'
    WHEN l.due_at > clock_timestamp() THEN 'early'
    ELSE 'claim' END AS answer
  FROM given LEFT JOIN locked l ON l.id = given.id
), judged AS MATERIALIZED (
  SELECT id, given_run, due_at, came_due_at, holder,
         CASE WHEN paused AND answer IN ('claim', 'take_over', 'reclaim') THEN 'hold'
              WHEN suspect AND answer IN ('claim', 'take_over')
               AND row_number() OVER (PARTITION BY suspect AND answer IN ('claim', 'take_over') ORDER BY id) > $6
              THEN 'stand_back' ELSE answer END AS verdict
    FROM answered
), claimed AS (
  UPDATE jobs j
     SET state = 'running', lease = j.lease + 1, run = greatest(j.run, judged.given_run), holder = $4,
         started_at = clock_timestamp(), finished_at = NULL, next_attempt_at = NULL, progress = NULL, note = NULL,
         orphaned_at = NULL, attempt = j.attempt + (judged.verdict = 'claim')::int
    FROM judged WHERE j.id = judged.id AND judged.verdict IN ('claim', 'take_over', 'reclaim')
  RETURNING j.id, j.lease, j.run, j.attempt, j.max_retries, j.timeout_seconds, j.traceparent, j.tracestate, j.crashes
), parked AS (
  UPDATE jobs j SET run = j.run + 1 FROM judged WHERE j.id = judged.id AND judged.verdict = 'early'
  RETURNING j.id, j.run, judged.due_at, NULL AS because
), stood_back AS (
  UPDATE jobs j
     SET state = 'retrying', run = j.run + 1, holder = NULL, orphaned_at = NULL,
         attempt = j.attempt - (j.state = 'running')::int,
         next_attempt_at = clock_timestamp() + make_interval(secs => 1 + random())
    FROM judged WHERE j.id = judged.id AND judged.verdict = 'stand_back'
  RETURNING j.id, j.run, j.next_attempt_at AS due_at, 'runs alone: a worker died while it ran' AS because
), held AS (
  UPDATE jobs j
     SET state = CASE j.state WHEN 'running' THEN 'queued' ELSE j.state END, holder = NULL, orphaned_at = NULL,
         run = greatest(j.run, judged.given_run) + 1, attempt = j.attempt - (j.state = 'running')::int
    FROM judged WHERE j.id = judged.id AND judged.verdict = 'hold'
  RETURNING j.id, j.run, NULL::timestamptz AS due_at, 'its type was paused' AS because, j.type
), posted AS (
  INSERT INTO outbox (job_id, run, due_at, because, held_for, publish_after)
  SELECT id, run, due_at, because, held_for,
         CASE WHEN held_for IS NULL THEN clock_timestamp() + interval '10 seconds' ELSE 'infinity' END
    FROM (SELECT *, NULL AS held_for FROM parked UNION ALL SELECT *, NULL FROM stood_back
           UNION ALL SELECT * FROM held) p ORDER BY id
  RETURNING seq, job_id, run, due_at
), ended AS (
  UPDATE jobs j SET state = CASE judged.verdict WHEN 'cancel' THEN 'cancelled' ELSE 'expired' END,
         finished_at = clock_timestamp(), next_attempt_at = NULL
    FROM judged WHERE j.id = judged.id AND judged.verdict IN ('cancel', 'expire')
)
SELECT judged.id, judged.verdict, judged.holder, judged.came_due_at, c.lease = 1 AND judged.given_run > 0 AS first,
       c.lease, coalesce(c.run, posted.run) AS run, c.attempt, c.max_retries, c.timeout_seconds, c.traceparent,
       c.tracestate, c.crashes, posted.seq AS post_seq,
       extract(epoch FROM posted.due_at - clock_timestamp())::float8 AS wait_seconds,
       (SELECT extract(epoch FROM clock_timestamp() - w.heartbeat_at)::float8 FROM workers w
         WHERE judged.verdict = 'held' AND w.session = judged.holder) AS silent_seconds
  FROM judged LEFT JOIN claimed c ON c.id = judged.id LEFT JOIN posted ON posted.job_id = judged.id
"""

DEAD: Final = "dead"  # never an answer: its holder is buried, then the claim is asked again
_ANSWERS = {
    "claim": Answer.CLAIMED,
    "take_over": Answer.CLAIMED,
    "reclaim": Answer.CLAIMED,
    "early": Answer.PARKED,
    "stand_back": Answer.PARKED,
    "hold": Answer.PAUSED,
    "cancel": Answer.ENDED,
    "expire": Answer.ENDED,
}


async def claim(
    database: Database, session: UUID, delivered: Sequence[Delivered], lease_seconds: float, suspects: int = 1
) -> dict[UUID, Claim]:
    """The answers by job id; an id must not come twice in one batch, and one without an answer is asked again.

    Of suspects at most so many are claimed.
    """
    answers = await _start(database, session, delivered)
    left = [d for d in delivered if d.id not in answers]
    return answers | await _judge(database, session, left, lease_seconds, suspects) if left else answers


async def start_first(database: Database, session: UUID, job_id: UUID) -> Claim | None:
    """The claim of a job's first message, of ours, that came alone; None where more is to be said: `claim` says it."""
    rows = await database.fetch(_START_FIRST, job_id, session)
    return _started(rows[0]) if rows else None


async def _start(database: Database, session: UUID, delivered: Sequence[Delivered]) -> dict[UUID, Claim]:
    """Start the plain ones, after those that came by the public door are born."""
    births = [d.birth for d in delivered if d.birth is not None]
    if births:
        async with database.transaction() as transaction:
            await bear(transaction, births)
            rows = await transaction.fetch(_START_BORN, *_columns(delivered), session)
    elif len(delivered) == 1:  # the common cases: one statement, one round trip
        rows = await database.fetch(_START_ONE, *_values(delivered[0]), session)
    else:
        rows = await database.fetch(_START, *_columns(delivered), session)
    return {row["id"]: _started(row) for row in rows}


async def _judge(
    database: Database, session: UUID, delivered: Sequence[Delivered], lease_seconds: float, suspects: int
) -> dict[UUID, Claim]:
    """A word for each; a holder that is found dead is buried, and its jobs asked about again."""
    rows = await database.fetch(_JUDGE, *_columns(delivered), session, lease_seconds, suspects)
    left = {row["id"]: row["holder"] for row in rows if row["verdict"] == DEAD}
    answers = {row["id"]: _claim(row) for row in rows if row["id"] not in left}
    if left:
        orphaned = [d for d in delivered if d.id in left]
        await bury(database, sorted(set(left.values()) - {None}), silent_seconds=lease_seconds)
        left_for_suspects = max(0, suspects - sum(answer.crashes > 0 for answer in answers.values()))
        rows = await database.fetch(_JUDGE, *_columns(orphaned), session, lease_seconds, left_for_suspects)
        answers |= {row["id"]: _claim(row) for row in rows if row["verdict"] != DEAD}
    return answers


def _columns(delivered: Sequence[Delivered]) -> tuple[list[UUID], list[int], list[bytes]]:
    return [d.id for d in delivered], [d.run or 0 for d in delivered], [d.body_hash for d in delivered]


def _started(row: Row) -> Claim:
    """By place and not by name: there is one for every job."""
    _, lease, run, attempt, max_retries, timeout_seconds, traceparent, tracestate, due_at, first = row.values()
    return Claim(
        Answer.CLAIMED, lease, run, attempt, max_retries, timeout_seconds, traceparent, tracestate, 0, due_at, first
    )


def _values(d: Delivered) -> tuple[UUID, int, bytes]:
    return d.id, d.run or 0, d.body_hash


def _claim(row: Row) -> Claim:
    answer = _ANSWERS.get(row["verdict"]) or Answer(row["verdict"])
    if answer is Answer.CLAIMED:
        return Claim(
            answer, row["lease"], row["run"], row["attempt"], row["max_retries"], row["timeout_seconds"],
            row["traceparent"], row["tracestate"], row["crashes"], row["came_due_at"], row["first"],
        )  # fmt: skip
    if answer is Answer.PARKED:
        wait = timedelta(seconds=max(0.0, row["wait_seconds"] or 0.0))
        return Claim(answer, run=row["run"], post_seq=row["post_seq"], wait=wait)
    if answer is Answer.HELD:
        return Claim(answer, silent=timedelta(seconds=max(0.0, row["silent_seconds"] or 0.0)))
    return Claim(answer)
