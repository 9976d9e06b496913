"""The line of a host: who is called next, and how a job learns it.

A job in line sleeps until about its turn, and is called by a message of its own: a fresh run, due a moment before the
turn, with its outbox row in the same statement; what it slept by is then of an older run, and dropped when it arrives.
Called are those that sleep (their record is committed, and nothing has started them since), by priority and then in
the order in which they came.  Who waits in place is told by the row, which he asks again.

Turns and places in line of jobs that have ended, or have gone on without them, are cleared away here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from persistence.accepting.accept import GRACE_SECONDS
from persistence.accepting.outbox import Post, post_of
from persistence.hosts.turns import AHEAD_SECONDS, PACE, PATIENCE_SECONDS, lock_known
from persistence.store.database import Database
from wire.states import FINAL

LOOKED_AT: Final = 50  # of a line, at its head
CLEARED: Final = 2_000  # of those that will never come, in a transaction: a crawl of many may have been cancelled
TRIES: Final = 50  # of a host in a round
HELD_UP_SECONDS: Final = 60.0  # so long the next of a line waits for one that was called and has not come
HOSTS: Final = 500  # a round

_ENDED: Final = ", ".join(f"'{state}'" for state in sorted(FINAL))

# A turn is over with its attempt.  One that was called and is on its way has the lease that it asked by.
_CLEAR = f"""
WITH dead AS MATERIALIZED (
  SELECT t.host, t.job_id, t.under_way
    FROM unnest($1::text[]) AS g(host)
   CROSS JOIN LATERAL (
     (SELECT * FROM host_turns t WHERE t.host = g.host AND t.until IS NOT NULL LIMIT {CLEARED})
      UNION ALL
     (SELECT * FROM host_turns t WHERE t.host = g.host AND t.until IS NULL
       ORDER BY in_place DESC, priority DESC, seq LIMIT {CLEARED})) t
    LEFT JOIN jobs j ON j.id = t.job_id
   WHERE j.id IS NULL OR j.state IN ({_ENDED}) OR j.lease > t.lease AND j.state <> 'running'
      OR (t.under_way OR t.in_place) AND (j.state <> 'running' OR j.lease <> t.lease)
), gone AS (
  DELETE FROM host_turns t USING dead d WHERE t.host = d.host AND t.job_id = d.job_id
), paused AS (  -- for all that is known its request was under way until now
  UPDATE hosts h
     SET next_at = greatest(h.next_at, clock_timestamp() + make_interval(secs => {PACE}))
   WHERE h.host = ANY(ARRAY(SELECT host FROM dead WHERE under_way))
)
SELECT count(*) AS cleared FROM dead
"""  # noqa: S608 - made of constants

_CALL = f"""
WITH host AS MATERIALIZED (
  SELECT h.host, h.concurrency, greatest(h.next_at, m.now) AS first_at, {PACE} AS pace,
         h.concurrency - (SELECT count(*) FROM host_turns t WHERE t.host = h.host AND t.until > m.now
                             - CASE WHEN t.under_way THEN 0 ELSE {HELD_UP_SECONDS} END * interval '1 second') AS free
    FROM hosts h, (SELECT clock_timestamp() AS now) m WHERE h.host = ANY($1)
), waiting AS MATERIALIZED (
  SELECT h.host, t.*, row_number() OVER (PARTITION BY h.host ORDER BY t.in_place DESC, t.priority DESC, t.seq) AS place
    FROM host h CROSS JOIN LATERAL (
      SELECT t.job_id, t.lease, t.in_place, t.priority, t.seq FROM (
          SELECT * FROM host_turns t WHERE t.host = h.host AND t.until IS NULL
           ORDER BY in_place DESC, priority DESC, seq LIMIT {LOOKED_AT}) t
        JOIN jobs j ON j.id = t.job_id AND j.lease = t.lease
                   AND j.state = CASE WHEN t.in_place THEN 'running' ELSE 'retrying' END
       ORDER BY t.in_place DESC, t.priority DESC, t.seq LIMIT greatest(h.free, 0)) t
), locked AS MATERIALIZED (  -- whoever is held by somebody else now (a cancel, its own start) is not called this time
  SELECT j.id, j.lease FROM jobs j WHERE j.id = ANY(ARRAY(SELECT job_id FROM waiting WHERE NOT in_place))
     AND j.state = 'retrying' AND j.cancel_requested_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED
), called AS MATERIALIZED (
  SELECT w.host, w.job_id, w.in_place, h.first_at + (w.place - 1) * make_interval(secs => h.pace) AS starts_at,
         h.concurrency, h.pace
    FROM waiting w JOIN host h ON h.host = w.host LEFT JOIN locked l ON l.id = w.job_id
   WHERE w.in_place OR l.lease = w.lease
), turns AS (
  UPDATE host_turns t
     SET starts_at = c.starts_at, until = c.starts_at + make_interval(secs => {PATIENCE_SECONDS})
    FROM called c WHERE t.host = c.host AND t.job_id = c.job_id
), spaced AS (
  UPDATE hosts h SET next_at = s.last + make_interval(secs => s.pace)
    FROM (SELECT host, max(starts_at) AS last, max(pace) AS pace FROM called WHERE concurrency > 1 GROUP BY host) s
   WHERE h.host = s.host
), sent AS (
  UPDATE jobs j
     SET run = j.run + 1, next_attempt_at = c.starts_at - make_interval(secs => {AHEAD_SECONDS}),
         queue = coalesce((SELECT t.queue FROM job_types t WHERE t.name = j.type), j.queue)
    FROM (SELECT DISTINCT ON (job_id) * FROM called WHERE NOT in_place ORDER BY job_id, starts_at) c
   WHERE j.id = c.job_id
  RETURNING j.*, c.host
), posted AS (
  INSERT INTO outbox (job_id, run, due_at, exact, because, publish_after)
  SELECT id, run, next_attempt_at, true, left('its turn at ' || host, 200),
         clock_timestamp() + make_interval(secs => {GRACE_SECONDS})
    FROM sent ORDER BY id
  RETURNING seq, job_id, run, exact, because, due_at
)
SELECT p.seq, p.job_id, p.run, p.exact, p.because, s.type, s.priority, s.body, s.attempt, s.traceparent, s.tracestate,
       extract(epoch FROM p.due_at - clock_timestamp())::float8 AS wait_seconds
  FROM posted p JOIN sent s ON s.id = p.job_id ORDER BY p.seq
"""  # noqa: S608 - made of constants

# One probe a host that has a line, however long that is.
_QUIET = f"""
WITH RECURSIVE moment AS MATERIALIZED (SELECT clock_timestamp() AS now), lines AS (
  (SELECT host FROM host_turns WHERE until IS NULL ORDER BY host LIMIT 1)
   UNION ALL
  SELECT (SELECT t.host FROM host_turns t WHERE t.until IS NULL AND t.host > l.host ORDER BY t.host LIMIT 1)
    FROM lines l WHERE l.host IS NOT NULL
)
SELECT h.host FROM lines l JOIN hosts h ON h.host = l.host, moment m
 WHERE h.concurrency > (SELECT count(*) FROM host_turns t JOIN jobs j ON j.id = t.job_id
                         WHERE t.host = h.host AND t.until > m.now - interval '{HELD_UP_SECONDS} s'
                           AND CASE WHEN t.under_way THEN t.until > m.now AND j.state = 'running' AND j.lease = t.lease
                                    ELSE j.state NOT IN ({_ENDED}) END)
 LIMIT {HOSTS}
"""  # noqa: S608 - made of constants


async def call(transaction: asyncpg.Connection, hosts: Sequence[str]) -> list[Post]:
    """Call the next at these hosts, which are locked, as many as they have room for; their messages, to publish."""
    posts = [post_of(row) for row in await transaction.fetch(_CALL, hosts)]
    if len(posts) < len(hosts) and await transaction.fetchval(_CLEAR, hosts):
        posts += [post_of(row) for row in await transaction.fetch(_CALL, hosts)]
    return posts


async def call_quiet(database: Database) -> list[Post]:
    """Call the next where a line stands and nobody is at the host: a worker died with its turn, or the called failed.

    A host at a time, so that whoever is polite at another need not wait for all of them.
    """
    posts = list[Post]()
    for row in await database.fetch(_QUIET):
        for _ in range(TRIES):
            async with database.transaction() as transaction:
                await lock_known(transaction, [row["host"]])
                found = await call(transaction, [row["host"]])
                again = not found and await transaction.fetchval(_CLEAR, [row["host"]])
            posts += found
            if not again:
                break
    return posts
