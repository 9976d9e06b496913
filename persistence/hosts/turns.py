"""Turns at hosts: who may ask one now, who comes later, and what an answer says of the next.

With a concurrency of 1 the next request begins no earlier than the host's delay after the last answer; with more of
them the delay lies between two beginnings.  All of it by the database's clock and under the lock of the host's row,
which is taken by a statement of its own: one that waits for the lock itself would look at turns as they were before.

A host that answers slowly is asked as far apart as its answers take, one that refuses (429, 503) half as often, and
what an answer has slowed goes back to the configured delay by a fifth of the difference at each good one.

A turn that was promised and is not taken up in time goes to whoever comes first: its job may be held up behind others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from persistence.store.database import Row

IN_PLACE_SECONDS: Final = 0.5  # a wait that is worth no sleep
PATIENCE_SECONDS: Final = 2.0  # how long a promised turn is kept for whoever it was promised to
SLOW_SECONDS: Final = 1.0  # an answer that takes longer slows its host down
COUNTED: Final = 10_000  # of those ahead, to guess when a turn will come
LATER: Final = 1.25  # a guess is stretched: who is called sleeps on, and who wakes too early has come for nothing
LATER_SECONDS: Final = 5.0
COMING_SECONDS: Final = 0.05  # who is called takes as long, at least
AHEAD_SECONDS: Final = 0.35  # who is called comes so much earlier: the ladder and the claim take their time


@dataclass(frozen=True, slots=True)
class Asking:
    """A job that asks for a turn."""

    host: str
    job_id: UUID
    lease: int
    priority: int
    delay_seconds: float  # as the settings and the host's robots.txt want it
    visit_seconds: float  # the longest that its request may take
    in_place: bool = False  # it will wait where it is, and goes before those that sleep


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer: to begin in a moment, or to come back."""

    begins: bool
    after_seconds: float
    ahead: int | None = None  # in line, so many before it; None: its turn is promised


@dataclass(frozen=True, slots=True)
class Leaving:
    """A job whose request has ended."""

    host: str
    job_id: UUID
    lease: int
    seconds: float  # that the answer took
    refused: bool = False  # 429 or 503: too much
    hold_seconds: float = 0.0  # that the host asked for (Retry-After)
    returns: bool = False  # the same job asks again: the next turn is promised to it
    used: bool = True  # False: it goes without having asked the host anything


_LOCK = """
INSERT INTO hosts AS h (host, delay_seconds, concurrency, next_at)
SELECT host, delay, $3, clock_timestamp() FROM unnest($1::text[], $2::float8[]) AS g(host, delay) ORDER BY host
    ON CONFLICT (host) DO UPDATE
   SET delay_seconds = excluded.delay_seconds, concurrency = excluded.concurrency,
       visited_at = CASE WHEN h.visited_at < clock_timestamp() - interval '1 hour'  -- an index knows it
                         THEN clock_timestamp() ELSE h.visited_at END
"""

_LOCK_AGAIN: Final = "SELECT FROM hosts WHERE host = ANY($1) ORDER BY host FOR UPDATE"

PACE: Final = "greatest(h.delay_seconds, h.slowed_seconds)"

# Whoever was under way by an earlier lease has been at the host until now, for all that is known.
_ASK = f"""
WITH given AS MATERIALIZED (
  SELECT g.*, m.now FROM unnest($1::text[], $2::uuid[], $3::int[], $4::smallint[], $5::float8[], $6::bool[])
    WITH ORDINALITY AS g(host, job_id, lease, priority, seconds, in_place, nth), (SELECT clock_timestamp() AS now) m
), asking AS MATERIALIZED (
  SELECT g.*, h.next_at, h.concurrency, {PACE} AS pace, h.takes_seconds, t.seq, t.under_way, t.starts_at,
         coalesce(t.until > g.now, false) AS mine
    FROM given g JOIN hosts h ON h.host = g.host
    LEFT JOIN host_turns t ON t.host = g.host AND t.job_id = g.job_id
), standing AS MATERIALIZED (
  SELECT h.host, (SELECT count(*) FROM host_turns t WHERE t.host = h.host AND t.until > h.now) AS taken,
         (SELECT count(*) FROM (SELECT FROM host_turns t WHERE t.host = h.host AND t.until IS NULL
                                 LIMIT {COUNTED}) l) AS in_line,
         (SELECT count(*) FROM host_turns t WHERE t.host = h.host AND t.until IS NULL AND t.in_place) AS in_place_line
    FROM (SELECT DISTINCT host, now FROM given) h
), placed AS MATERIALIZED (
  SELECT a.*, CASE WHEN a.in_place THEN s.in_place_line ELSE s.in_line END AS in_line, a.concurrency - s.taken AS free,
         row_number() OVER (PARTITION BY a.host, a.mine
                                ORDER BY a.in_place DESC, a.priority DESC, a.seq NULLS LAST, a.nth) AS place
    FROM asking a JOIN standing s ON s.host = a.host
), judged AS MATERIALIZED (
  SELECT p.*, CASE WHEN mine AND under_way THEN now + make_interval(secs => pace)
                   WHEN mine THEN greatest(now, starts_at)
                   WHEN place <= free THEN greatest(now, next_at) + (place - 1) * make_interval(secs => pace)
               END AS start
    FROM placed p
), answered AS MATERIALIZED (
  SELECT j.*, coalesce(in_place OR start <= now + make_interval(secs => {IN_PLACE_SECONDS}), false)
              AND start IS NOT NULL AS begins
    FROM judged j
), written AS (
  INSERT INTO host_turns AS t (host, job_id, lease, priority, in_place, under_way, starts_at, until)
  SELECT host, job_id, lease, priority, in_place, begins, start,
         start + make_interval(secs => CASE WHEN begins THEN seconds ELSE {PATIENCE_SECONDS} END)
    FROM answered ORDER BY host, nth
      ON CONFLICT (host, job_id) DO UPDATE
     SET lease = excluded.lease, priority = excluded.priority, in_place = excluded.in_place,
         under_way = excluded.under_way, starts_at = excluded.starts_at, until = excluded.until
), spaced AS (
  UPDATE hosts h SET next_at = greatest(h.next_at, s.last + make_interval(secs => s.pace))
    FROM (SELECT host, max(start) AS last, max(pace) AS pace FROM answered
           WHERE NOT mine AND start IS NOT NULL AND concurrency > 1 GROUP BY host) s
   WHERE h.host = s.host
)
SELECT host, job_id, begins, start IS NOT NULL AS promised,
       CASE WHEN start IS NULL THEN in_line + place - greatest(free, 0) - 1 END AS ahead,
       extract(epoch FROM CASE WHEN start IS NOT NULL THEN start - now
         ELSE greatest(next_at - now, interval '0') + make_interval(secs => (in_line + place) * CASE
           WHEN concurrency > 1 THEN greatest(pace, (takes_seconds + {COMING_SECONDS}) / concurrency)
           ELSE greatest(pace, {COMING_SECONDS}) + takes_seconds END) END
       )::float8 AS seconds
  FROM answered
"""  # noqa: S608 - made of constants

# $7: what a refusal slows it down to at most
_LEAVE = f"""
WITH given AS MATERIALIZED (
  SELECT g.*, m.now
    FROM unnest($1::text[], $2::uuid[], $3::int[], $4::float8[], $5::bool[], $6::float8[], $8::bool[], $9::bool[])
      AS g(host, job_id, lease, seconds, refused, hold, returns, used), (SELECT clock_timestamp() AS now) m
), left_now AS MATERIALIZED (
  SELECT host, now, max(seconds) AS seconds, bool_or(refused) AS refused, max(hold) AS hold, bool_or(used) AS used
    FROM given GROUP BY host, now
), slowed AS MATERIALIZED (
  SELECT h.host, l.now, l.hold, l.seconds, l.used, h.concurrency, h.slowed_seconds AS before, h.delay_seconds, CASE
    WHEN NOT l.used THEN h.slowed_seconds
    WHEN l.refused THEN least(greatest($7, h.delay_seconds), greatest(1, 2 * {PACE}))
    WHEN l.seconds > greatest({SLOW_SECONDS}, h.slowed_seconds) THEN least($7, l.seconds)
    WHEN h.slowed_seconds < h.delay_seconds + 0.05 THEN 0
    ELSE h.slowed_seconds + 0.2 * (CASE WHEN l.seconds > {SLOW_SECONDS} THEN l.seconds ELSE h.delay_seconds END
                                   - h.slowed_seconds) END AS slowed
    FROM left_now l JOIN hosts h ON h.host = l.host
), changed AS (
  UPDATE hosts h
     SET slowed_seconds = s.slowed,
         takes_seconds = CASE WHEN NOT s.used THEN h.takes_seconds WHEN h.takes_seconds = 0 THEN s.seconds
                              ELSE 0.8 * h.takes_seconds + 0.2 * s.seconds END,
         next_at = CASE WHEN s.used THEN greatest(h.next_at, s.now + make_interval(secs => greatest(s.hold,
                     CASE WHEN s.concurrency = 1 THEN greatest(s.delay_seconds, s.slowed) ELSE 0 END)))
                   ELSE h.next_at END
    FROM slowed s WHERE h.host = s.host
  RETURNING h.host, h.next_at, s.now, s.before, h.slowed_seconds
), gone AS (
  DELETE FROM host_turns t USING given g
   WHERE t.host = g.host AND t.job_id = g.job_id AND t.lease = g.lease AND NOT g.returns
), promised AS (
  UPDATE host_turns t
     SET under_way = false, starts_at = c.next_at,
         until = c.next_at + make_interval(secs => {PATIENCE_SECONDS})
    FROM given g JOIN changed c ON c.host = g.host
   WHERE t.host = g.host AND t.job_id = g.job_id AND t.lease = g.lease AND g.returns
)
SELECT host, extract(epoch FROM next_at - now)::float8 AS seconds, before, slowed_seconds,
       EXISTS (SELECT FROM host_turns t WHERE t.host = changed.host AND t.until IS NULL) AS has_line
  FROM changed
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Left:
    """How a host is asked from now on."""

    next_seconds: float  # until the next request may begin
    slowed_from: float
    slowed_to: float  # seconds between two requests, where its answers want more than its delay; else 0
    has_line: bool


async def lock(transaction: asyncpg.Connection, delays: dict[str, float], concurrency: int) -> None:
    """Take the rows of these hosts, made where they are new; whoever comes next waits for the transaction's end."""
    await transaction.execute(_LOCK, list(delays), list(delays.values()), concurrency)


async def lock_known(transaction: asyncpg.Connection, hosts: Sequence[str]) -> None:
    await transaction.execute(_LOCK_AGAIN, hosts)


async def ask(transaction: asyncpg.Connection, asking: Sequence[Asking]) -> dict[tuple[str, UUID], Turn]:
    """An answer for each, of hosts that are locked; a job asks a host once in a call."""
    rows = await transaction.fetch(
        _ASK, [a.host for a in asking], [a.job_id for a in asking], [a.lease for a in asking],
        [a.priority for a in asking], [a.visit_seconds for a in asking], [a.in_place for a in asking],
    )  # fmt: skip
    return {(row["host"], row["job_id"]): _turn(row) for row in rows}


async def leave(transaction: asyncpg.Connection, leaving: Sequence[Leaving], longest_seconds: float) -> dict[str, Left]:
    """These requests have ended; how their hosts, which are locked, are asked from now on."""
    rows = await transaction.fetch(
        _LEAVE, [one.host for one in leaving], [one.job_id for one in leaving], [one.lease for one in leaving],
        [one.seconds for one in leaving], [one.refused for one in leaving], [one.hold_seconds for one in leaving],
        longest_seconds, [one.returns for one in leaving], [one.used for one in leaving],
    )  # fmt: skip
    return {
        row["host"]: Left(max(0.0, row["seconds"]), row["before"], row["slowed_seconds"], row["has_line"])
        for row in rows
    }


def _turn(row: Row) -> Turn:
    seconds = max(0.0, row["seconds"])
    if row["begins"]:
        return Turn(begins=True, after_seconds=seconds)
    if row["promised"]:
        return Turn(begins=False, after_seconds=max(0.0, seconds - AHEAD_SECONDS))
    return Turn(begins=False, after_seconds=seconds * LATER + LATER_SECONDS, ahead=max(0, row["ahead"]))
