"""A table as it stands after a while: many jobs, most of them done, with all that belongs to them.

Written in bulk, past the triggers; what they keep (counts, the counters of batches) is summed up afterwards, so that it
is as exact as ever.  What waits is of queues that RabbitMQ does not have, and what runs is held by a worker that lives
for ever: no scheduler finds anything to rescue in it, and a measurement is not disturbed.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import asyncpg

HOLDER: Final = UUID("00000000-0000-7000-8000-000000000001")
COMMON_TYPE, RARE_TYPE = "mail", "yearly"
COMMON_QUEUE, RARE_QUEUE = "letters", "rarely"
COMMON_TAG, RARE_TAG = "news", "recall"
BATCH: Final = UUID("00000000-0000-7000-8000-0000000000b3")  # one of ten
SCHEDULE: Final = UUID("00000000-0000-7000-8000-0000000000c3")  # one of ten

# State, type, tags and batch are drawn apart from one another, and the same way each time.
_JOBS = """
WITH drawn AS (
  SELECT n, $2::timestamptz - ($1 - n) * interval '23 hours' / $1 AS created_at,
         abs(hashint8extended(n, 1) % 1000) AS state_of, abs(hashint8extended(n, 2) % 1000) AS type_of,
         abs(hashint8extended(n, 3) % 1000) AS tag_of, abs(hashint8extended(n, 4) % 50) AS batch_of
    FROM generate_series(1, $1::int) n
), said AS (
  SELECT *,
         CASE WHEN state_of < 950 THEN 'completed' WHEN state_of < 970 THEN 'failed'
              WHEN state_of < 980 THEN 'cancelled' WHEN state_of < 985 THEN 'expired'
              WHEN state_of < 990 THEN 'scheduled' WHEN state_of < 994 THEN 'retrying'
              WHEN state_of < 999 THEN 'queued' ELSE 'running' END AS state,
         CASE WHEN n % 5000 = 1 THEN 'yearly' WHEN type_of < 500 THEN 'mail' WHEN type_of < 800 THEN 'thumbnail'
              WHEN type_of < 950 THEN 'invoice' ELSE 'report' END AS type
    FROM drawn
)
INSERT INTO jobs (id, type, queue, state, reason, priority, body, body_hash, tags, batch_id, run, lease, attempt,
                  max_retries, timeout_seconds, created_at, scheduled_for, next_attempt_at, started_at, finished_at,
                  holder, result, error_type, error_message, traceparent, schedule_id)
SELECT submit_uuid(substring(int8send((extract(epoch FROM created_at) * 1000)::bigint) FROM 3)
                   || uuid_send(gen_random_uuid()), 7),
       type, CASE type WHEN 'mail' THEN 'letters' WHEN 'thumbnail' THEN 'images' WHEN 'yearly' THEN 'rarely'
                       ELSE 'papers' END,
       state, CASE state WHEN 'failed' THEN 'exhausted' END, 1 + (n % 10)::smallint,
       convert_to(concat('{"type":"', type, '","payload":{"number":', n, ',"text":"', repeat('x', 120), '"}}'), 'UTF8'),
       substring(sha256(int8send(n)) FOR 16),
       CASE WHEN n % 10000 = 77 THEN ARRAY['news', 'recall'] WHEN tag_of < 100 THEN ARRAY['news']
            WHEN tag_of < 300 THEN ARRAY['customer-' || n % 1000] END,
       CASE batch_of WHEN 3 THEN ('00000000-0000-7000-8000-0000000000b' || (n::bigint - 1) * 10 / $1)::uuid END,
       1, CASE WHEN state IN ('scheduled', 'queued') THEN 0 ELSE 1 END,
       CASE WHEN state IN ('scheduled', 'queued') THEN 0 ELSE 1 END, 3, 300, created_at,
       CASE state WHEN 'scheduled' THEN $2::timestamptz + interval '1 day' END,
       CASE state WHEN 'retrying' THEN $2::timestamptz + interval '1 day' END,
       CASE WHEN state NOT IN ('scheduled', 'queued', 'cancelled') THEN created_at + interval '1 second' END,
       CASE WHEN state IN ('completed', 'failed', 'cancelled', 'expired') THEN created_at + interval '2 seconds' END,
       CASE state WHEN 'running' THEN $3::uuid END,
       CASE state WHEN 'completed' THEN '{"sent":true,"to":"somebody@example.org"}'::json END,
       CASE state WHEN 'failed' THEN 'ValueError' END, CASE state WHEN 'failed' THEN 'it was not to be' END,
       '00-' || md5(n::text) || '-' || left(md5(n::text), 16) || '-01',
       CASE batch_of WHEN 4 THEN ('00000000-0000-7000-8000-0000000000c' || (n::bigint - 1) * 10 / $1)::uuid END
  FROM said ORDER BY n
"""

_ATTEMPTS = """
INSERT INTO attempts (job_id, lease, run, attempt, outcome, reason, worker, started_at, finished_at, error_type,
                      error_message)
SELECT id, 1, 1, 1, CASE state WHEN 'retrying' THEN 'retry' ELSE state END, reason, 'w:1', started_at,
       coalesce(finished_at, started_at), error_type, error_message
  FROM jobs WHERE state IN ('completed', 'failed', 'retrying') ORDER BY id
"""

_KEPT = """
INSERT INTO job_counts (state, type, queue, priority, jobs)
SELECT state, type, queue, priority, count(*) FROM jobs GROUP BY 1, 2, 3, 4;
INSERT INTO batches (id, request_hash, name, total, pending, running, completed, failed, cancelled, expired, closed_at,
                     traceparent)
SELECT batch_id, '\\x00', 'a batch', count(*), count(*) FILTER (WHERE state IN ('scheduled', 'queued', 'retrying')),
       count(*) FILTER (WHERE state = 'running'), count(*) FILTER (WHERE state = 'completed'),
       count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'cancelled'),
       count(*) FILTER (WHERE state = 'expired'), now(), '00-' || md5('b') || '-' || left(md5('b'), 16) || '-01'
  FROM jobs WHERE batch_id IS NOT NULL GROUP BY batch_id;
INSERT INTO tombstones (id, until) SELECT gen_random_uuid(), now() + interval '9 days' FROM generate_series(1, 2000);
INSERT INTO unique_jobs (key, job_id) SELECT sha256(uuid_send(id)), id FROM jobs ORDER BY id LIMIT 2000;
INSERT INTO job_types (name, queue, payload_schema, priority, max_retries, timeout_seconds, retry_base_seconds,
                       retry_max_seconds)
SELECT type, queue, '{}'::json, 5, 3, 300, 2, 300 FROM (SELECT type, queue FROM jobs GROUP BY 1, 2) t
    ON CONFLICT DO NOTHING;
"""

_LETTERS = """
INSERT INTO dead_letters (message_id, type, body, body_hash, headers, exchange, routing_key, queue, reason, detail,
                          fingerprint, created_at)
SELECT 'message ' || n, CASE n % 3 WHEN 0 THEN 'mail' ELSE 'thumbnail' END, convert_to(repeat('x', 300), 'UTF8'),
       substring(sha256(int8send(n)) FOR 16), '{"headers":{},"properties":{}}', 'jobs.in', 'job.mail.p5', 'births',
       CASE n % 2 WHEN 0 THEN 'malformed' ELSE 'unroutable' END, 'payload.to is missing; send it',
       'cause ' || n % 40, clock_timestamp() - n * interval '1 minute'
  FROM generate_series(1, $1::int) n
"""

_WORKERS = """
INSERT INTO workers (session, name, host, pid, queues, types, concurrency, free_slots, heartbeat_at, ended_at)
SELECT CASE n WHEN 1 THEN $1::uuid ELSE gen_random_uuid() END, 'host:' || n, 'host', n, '{letters}', '{mail}', 2000,
       1000, clock_timestamp() + interval '1 day', CASE WHEN n > 4 THEN clock_timestamp() END
  FROM generate_series(1, 40) n
"""

_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes i
 WHERE schemaname = 'warren' AND tablename IN ('jobs', 'attempts')
   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)
"""


async def fill(url: str, jobs: int) -> None:
    """So many jobs and their attempts, exactly counted, vacuumed and analysed."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "warren", "maintenance_work_mem": "256MB"})
    try:
        await _fill(connection, jobs)
    finally:
        await connection.close()


async def _fill(connection: asyncpg.Connection, jobs: int) -> None:
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")  # no trigger a row
        later = await connection.fetch(_INDEXES)
        for index in later:
            await connection.execute(f"DROP INDEX warren.{index['indexname']}")
        now = await connection.fetchval("SELECT clock_timestamp()")
        await connection.execute(_JOBS, jobs, now, HOLDER)
        await connection.execute(_ATTEMPTS)
        for index in later:
            await connection.execute(index["indexdef"])
        await connection.execute(_KEPT)
        await connection.execute(_WORKERS, HOLDER)
    await connection.execute(_LETTERS, 2_000)
    await connection.execute("VACUUM (ANALYZE)")
