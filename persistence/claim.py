"""Which of these deliveries may run: one statement for the batch, one word of answer for each.

Every delivery gets an answer; a delivery without one is asked about again and never acked.  A start takes the next
lease, and only the current lease may write the outcome.  The database's clock decides what is early and what has
expired.  Rows are locked in the order of their ids, or batches deadlock against each other (measured: 16 of 20).

A job that has been in a crash is a suspect, and of suspects only as many are claimed as the caller has room for; the
others go back into the ladder here and now.  Were they claimed and returned afterwards, a killer that kills at once
would always die beside them, and never as the sole suspect.

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

from persistence.births import bear
from persistence.crashes import bury
from persistence.database import Database, Row
from persistence.submission import Submission


class Answer(StrEnum):
    CLAIMED = "claimed"
    PARKED = "parked"  # not due yet, or not its turn: back into the ladder, by the outbox row written here
    STALE = "stale"  # a copy of an older run: ack
    FINISHED = "finished"  # ack
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


@dataclass(frozen=True, slots=True)
class Claim:
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


_CLAIM = """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::bytea[]) AS g(id, run, body_hash)
), locked AS MATERIALIZED (
  SELECT id, state, run, holder, orphaned_at, body_hash, expires_at, cancel_requested_at, created_at,
         coalesce(next_attempt_at, scheduled_for) AS due_at, crashes
    FROM jobs WHERE id = ANY($1) ORDER BY id FOR UPDATE
), answered AS MATERIALIZED (
  SELECT given.id, given.run AS given_run, l.due_at, coalesce(l.due_at, l.created_at) AS came_due_at, l.holder,
         l.crashes > 0 AS suspect, CASE
    WHEN l.id IS NULL THEN CASE
      WHEN EXISTS (SELECT FROM tombstones t WHERE t.id = given.id) THEN 'gone'
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
         CASE WHEN suspect AND answer IN ('claim', 'take_over')
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
), posted AS (
  INSERT INTO outbox (job_id, run, due_at, because, publish_after)
  SELECT id, run, due_at, because, clock_timestamp() + interval '10 seconds'
    FROM (SELECT * FROM parked UNION ALL SELECT * FROM stood_back) p ORDER BY id
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
    "cancel": Answer.ENDED,
    "expire": Answer.ENDED,
}


async def claim(
    database: Database, session: UUID, delivered: Sequence[Delivered], lease_seconds: float, suspects: int = 1
) -> dict[UUID, Claim]:
    """The answers by job id; an id must not come twice in one batch, and one without an answer is asked again.

    Of suspects at most so many are claimed.
    """
    births = [d.birth for d in delivered if d.birth is not None]
    if not births:  # the common case: one statement, one round trip
        rows = await database.fetch(_CLAIM, *_arguments(session, delivered, lease_seconds, suspects))
    else:
        async with database.transaction() as transaction:
            await bear(transaction, births)
            rows = await transaction.fetch(_CLAIM, *_arguments(session, delivered, lease_seconds, suspects))
    left = {row["id"]: row["holder"] for row in rows if row["verdict"] == DEAD}
    answers = {row["id"]: _claim(row) for row in rows if row["id"] not in left}
    if left:
        orphaned = [d for d in delivered if d.id in left]
        await bury(database, sorted(set(left.values()) - {None}), silent_seconds=lease_seconds)
        left_for_suspects = max(0, suspects - sum(answer.crashes > 0 for answer in answers.values()))
        rows = await database.fetch(_CLAIM, *_arguments(session, orphaned, lease_seconds, left_for_suspects))
        answers |= {row["id"]: _claim(row) for row in rows if row["verdict"] != DEAD}
    return answers


def _arguments(
    session: UUID, delivered: Sequence[Delivered], lease_seconds: float, suspects: int
) -> tuple[object, ...]:
    return (
        [d.id for d in delivered],
        [d.run or 0 for d in delivered],
        [d.body_hash for d in delivered],
        session,
        lease_seconds,
        suspects,
    )


def _claim(row: Row) -> Claim:
    answer = _ANSWERS.get(row["verdict"]) or Answer(row["verdict"])
    wait = timedelta(seconds=max(0.0, row["wait_seconds"] or 0.0))
    if answer is Answer.PARKED:
        return Claim(answer, run=row["run"], post_seq=row["post_seq"], wait=wait)
    if answer is Answer.HELD:
        return Claim(answer, silent=timedelta(seconds=max(0.0, row["silent_seconds"] or 0.0)))
    if answer is not Answer.CLAIMED:
        return Claim(answer)
    return Claim(
        answer, row["lease"], row["run"], row["attempt"], row["max_retries"], row["timeout_seconds"],
        row["traceparent"], row["tracestate"], row["crashes"], row["came_due_at"], row["first"],
    )  # fmt: skip
