"""Why a job stands where it stands: every fact that decides it, of one moment, in one statement.

Decides nothing itself; the words are the gateway's.  No table is counted through: of the jobs ahead at most a
thousand are looked at by the index that the rescue uses, and where there are more, their number is what the sums of
counts.py say less those behind, which is never too few.

Nor is there an index on the outbox by job, which every job would pay for.  While RabbitMQ takes messages it holds few
rows and, as those of the last seconds are gone again, many dead ones; so these seconds are left out then, for what is
as young is just being sent.  Of a long outbox some thousand rows are looked at, and that there are more is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from persistence.accepting.accept import GRACE_SECONDS
from persistence.declared.pauses import Kind, Pause
from persistence.store.database import Database, Row
from persistence.waits import WAITING, WAITS_SINCE
from wire.states import WAITING as WAITING_STATES
from wire.states import Outcome, Reason, State

COUNTED: Final = 1_000  # jobs ahead, and jobs behind: each may lie in a page of its own, 2.5 µs in memory
LOOKED_THROUGH: Final = 1_000  # rows of the outbox
OVERTAKEN_SECONDS: Final = 60.0  # who came due so long after it and has started: see rescue.py


@dataclass(frozen=True, slots=True)
class Last:
    """The last attempt that has ended."""

    attempt: int
    run: int
    outcome: Outcome
    reason: str | None
    worker: str
    finished_at: datetime
    error_type: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that runs it."""

    session: UUID
    name: str
    heartbeat_at: datetime
    silent: bool  # for longer than a lease
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Crew:
    """The live workers that serve its type from its queue."""

    serving: int = 0
    consuming: int = 0
    draining: int = 0
    slots: int = 0
    free_slots: int = 0
    last_seen_at: datetime | None = None  # one that serves it, alive or not; they are forgotten after a day


@dataclass(frozen=True, slots=True)
class Post:
    """Its message in the outbox."""

    since: datetime | None  # None: nobody wrote it down
    because: str | None
    tries: int  # of the sweep
    next_try_at: datetime


@dataclass(frozen=True, slots=True)
class Ahead:
    """Jobs of its queue that are due and go before it."""

    jobs: int
    at_most: bool  # that many, or less


@dataclass(frozen=True, slots=True)
class Turn:
    """Its turn at a host that it visits."""

    host: str
    ahead: int | None  # of it in the host's line, up to a bound; None: the turn is promised
    at: datetime  # when it is promised, or about when the line will have come to it
    apart_seconds: float  # the host's requests


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a job and of what it needs, at one moment of the database's clock."""

    now: datetime
    id: UUID
    type: str
    queue: str
    state: State
    reason: Reason | None
    priority: int
    attempt: int
    max_retries: int
    crashes: int
    rescues: int
    created_at: datetime
    due_at: datetime | None  # None: from the beginning
    since: datetime  # when it should have been at hand
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    cancel_requested_at: datetime | None
    orphaned_at: datetime | None
    rescued_at: datetime | None
    progress: float | None
    note: str | None
    error_type: str | None
    error_message: str | None
    last: Last | None = None
    holder: Holder | None = None
    crew: Crew = Crew()
    paused_queue: Pause | None = None
    paused_type: Pause | None = None
    post: Post | None = None
    outbox_is_long: bool = False  # longer than was looked through, and its message was not among those
    overtaken: bool = False
    ahead: Ahead | None = None  # None: it does not wait, or is not due
    turn: Turn | None = None  # None: no host has it on its list, or it does not wait

    @property
    def waits(self) -> bool:
        return self.state in WAITING_STATES

    @property
    def due(self) -> bool:
        return self.due_at is None or self.due_at <= self.now


# The bounds are of the job's own row, so each look is a range of the index.  What is as old as it goes before it.
_LEVELS = f"""
  SELECT count(*) AS seen FROM (
    SELECT FROM generate_series(j.priority, 10) AS level CROSS JOIN LATERAL (
           SELECT FROM jobs WHERE {WAITING} AND queue = j.queue AND priority = level AND {WAITS_SINCE}
                  {{compared}} CASE WHEN level = j.priority THEN j.since ELSE j.now END
            LIMIT {COUNTED + 2}) one
     WHERE j.counts LIMIT {COUNTED + 2}) met
"""  # noqa: S608 - made of constants

_FIRST: Final = f"ORDER BY publish_after, seq LIMIT {LOOKED_THROUGH + 1}"

_FACTS = f"""
WITH job AS MATERIALIZED (
  SELECT id, type, queue, state, reason, priority, run, attempt, max_retries, crashes, rescues, created_at, started_at,
         coalesce(next_attempt_at, scheduled_for) AS due_at, next_attempt_at, {WAITS_SINCE} AS since, finished_at,
         expires_at, cancel_requested_at, orphaned_at, rescued_at, progress, note, error_type, error_message, holder,
         {WAITING} AND {WAITS_SINCE} <= now AS counts, {WAITING} AS waits, now,
         now + make_interval(secs => {GRACE_SECONDS + 1}) AS young_until
    FROM jobs, (SELECT clock_timestamp() AS now) AS moment WHERE id = $1
)
SELECT j.*, last.*, post.*, crew.*, turn.*,
       w.name, w.heartbeat_at, w.ended_at, w.heartbeat_at < j.now - make_interval(secs => $2) AS silent,
       (SELECT max(heartbeat_at) FROM workers WHERE j.type = ANY(types) AND j.queue = ANY(queues)) AS last_seen_at,
       q.paused_at AS queue_paused_at, q.paused_by AS queue_paused_by, q.note AS queue_note,
       t.paused_at AS type_paused_at, t.paused_by AS type_paused_by, t.note AS type_note,
       j.waits AND post.post_run IS NULL AND post.looked_at > {LOOKED_THROUGH} AS outbox_is_long,
       EXISTS (SELECT FROM queue_marks m WHERE m.queue = j.queue AND m.priority <= j.priority
                  AND m.due_at > j.since + make_interval(secs => {OVERTAKEN_SECONDS})) AS overtaken,
       CASE WHEN j.counts THEN ahead.seen - 1 END AS seen,
       CASE WHEN ahead.seen > {COUNTED + 1} THEN ({_LEVELS.format(compared=">")}) END AS behind,
       CASE WHEN ahead.seen > {COUNTED + 1} THEN (
         SELECT sum(jobs)::bigint FROM (SELECT state, queue, priority, jobs FROM job_counts
                                         UNION ALL SELECT state, queue, priority, jobs FROM job_deltas) c
          WHERE {WAITING} AND queue = j.queue AND priority >= j.priority) END AS waiting
  FROM job j
  LEFT JOIN workers w ON w.session = j.holder
  LEFT JOIN pauses q ON q.kind = 'queue' AND q.name = j.queue
  LEFT JOIN pauses t ON t.kind = 'type' AND t.name = j.type
  LEFT JOIN LATERAL (
    SELECT attempt AS last_attempt, run AS last_run, outcome, reason AS last_reason, worker AS last_worker,
           finished_at AS last_finished_at, error_type AS last_error_type, error_message AS last_error_message
      FROM attempts WHERE job_id = j.id ORDER BY lease DESC LIMIT 1) last ON true
 CROSS JOIN LATERAL (
    SELECT count(*) AS looked_at, max(run) FILTER (WHERE mine) AS post_run, max(because) FILTER (WHERE mine) AS because,
           max(tries) FILTER (WHERE mine) AS tries, max(publish_after) FILTER (WHERE mine) AS next_try_at
      FROM (SELECT *, job_id = j.id AND run = j.run AS mine FROM (
              (SELECT * FROM outbox WHERE publish_after <= j.now {_FIRST})
               UNION ALL
              (SELECT * FROM outbox WHERE publish_after > j.young_until AND publish_after < 'infinity' {_FIRST})
               UNION ALL
              (SELECT * FROM outbox WHERE publish_after > j.now AND publish_after <= j.young_until AND $3 {_FIRST})) o
             WHERE j.waits LIMIT {LOOKED_THROUGH + 1}) looked) post
 CROSS JOIN LATERAL (
    SELECT count(*) AS serving, count(*) FILTER (WHERE drain_requested_at IS NOT NULL) AS draining,
           count(*) FILTER (WHERE takes) AS consuming, coalesce(sum(concurrency) FILTER (WHERE takes), 0) AS slots,
           coalesce(sum(greatest(0, free_slots - waiting)) FILTER (WHERE takes), 0) AS free_slots
      FROM (SELECT *, consuming AND drain_requested_at IS NULL AND j.queue <> ALL(paused) AS takes FROM workers
             WHERE ended_at IS NULL AND heartbeat_at > j.now - make_interval(secs => $2)
               AND j.type = ANY(types) AND j.queue = ANY(queues)) member) crew
 CROSS JOIN LATERAL ({_LEVELS.format(compared="<=")}) ahead
  LEFT JOIN LATERAL (
    SELECT t.host AS turn_host, t.starts_at AS turn_at, greatest(h.next_at, j.now) AS line_from,
           greatest(h.delay_seconds, h.slowed_seconds) AS turns_apart,
           CASE WHEN h.concurrency = 1 THEN greatest(h.delay_seconds, h.slowed_seconds) + h.takes_seconds
                ELSE greatest(h.delay_seconds, h.slowed_seconds, h.takes_seconds / h.concurrency) END AS turn_takes,
           (SELECT count(*) FROM (
              SELECT FROM host_turns o WHERE o.host = t.host AND o.until IS NULL AND t.until IS NULL
                 AND (o.in_place, o.priority, t.seq) > (t.in_place, t.priority, o.seq) LIMIT {COUNTED}) l)
             AS turns_ahead
      FROM host_turns t JOIN hosts h ON h.host = t.host
     WHERE t.job_id = j.id AND j.waits ORDER BY t.until IS NULL, t.seq LIMIT 1) turn ON true
"""  # noqa: S608 - made of constants


async def facts_of(database: Database, job_id: UUID, lease_seconds: float, *, unsent: bool) -> Facts | None:
    """All of one job, or None if there is none.

    `unsent`: RabbitMQ takes no messages, so that of those in the outbox the young ones matter too.
    """
    rows = await database.read(_FACTS, job_id, lease_seconds, unsent)
    return _facts(rows[0]) if rows else None


def _facts(row: Row) -> Facts:
    return Facts(
        **{name: row[name] for name in _PLAIN},
        state=State(row["state"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        last=_last(row),
        holder=None
        if row["name"] is None
        else Holder(row["holder"], row["name"], row["heartbeat_at"], row["silent"], row["ended_at"]),
        crew=Crew(*(row[name] for name in Crew.__slots__)),
        paused_queue=_pause(row, Kind.QUEUE, row["queue"]),
        paused_type=_pause(row, Kind.TYPE, row["type"]),
        post=_post(row),
        ahead=_ahead(row),
        turn=_turn(row),
    )


def _last(row: Row) -> Last | None:
    if row["outcome"] is None:
        return None
    return Last(
        row["last_attempt"], row["last_run"], Outcome(row["outcome"]), row["last_reason"], row["last_worker"],
        row["last_finished_at"], row["last_error_type"], row["last_error_message"],
    )  # fmt: skip


def _pause(row: Row, kind: Kind, name: str) -> Pause | None:
    at = row[f"{kind}_paused_at"]
    return None if at is None else Pause(kind, name, at, row[f"{kind}_paused_by"], row[f"{kind}_note"])


def _post(row: Row) -> Post | None:
    if row["post_run"] is None:
        return None
    return Post(_written_at(row), row["because"], row["tries"], row["next_try_at"])


def _written_at(row: Row) -> datetime | None:
    """When its message was put into the outbox, as far as that was written down anywhere."""
    at: datetime | None = None
    if row["run"] == 1:
        at = row["created_at"]
    elif row["because"] == "by hand":
        at = row["next_attempt_at"]
    elif row["because"] in ("its message was lost", "its worker was lost"):
        at = row["rescued_at"]
    elif row["last_run"] == row["run"] - 1:
        at = row["last_finished_at"]
    return at


def _ahead(row: Row) -> Ahead | None:
    if row["seen"] is None:
        return None
    if row["waiting"] is None:
        return Ahead(max(0, row["seen"]), at_most=False)
    behind = min(row["behind"], COUNTED)
    return Ahead(max(row["seen"], row["waiting"] - 1 - behind), at_most=row["behind"] > COUNTED)


def _turn(row: Row) -> Turn | None:
    if row["turn_host"] is None:
        return None
    if row["turn_at"] is not None:
        return Turn(row["turn_host"], None, row["turn_at"], row["turns_apart"])
    about = row["line_from"] + timedelta(seconds=row["turn_takes"] * row["turns_ahead"])
    return Turn(row["turn_host"], row["turns_ahead"], about, row["turns_apart"])


_PLAIN = [
    name
    for name in Facts.__slots__
    if name not in ("state", "reason", "last", "holder", "crew", "paused_queue", "paused_type", "post", "ahead", "turn")
]
