"""What it costs to ask why a job does not run, a million waiting: `python -m tests.bench.why [--jobs 1000000]`.

The jobs lie in one queue, four fifths of them at one priority, and none is worked off.  Asked are those from all over
the queue, through the real gateway: first with their messages in RabbitMQ, then with each in the outbox still, as after
hours without RabbitMQ, and at last with an outbox of dead rows that nobody has vacuumed, as during a drain.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from typing import Final

import asyncpg

from tests.bench.figure import Figure, tell
from tests.bench.million import _p95, _took, _walks
from tests.bench.stage import stage
from tests.journey.api import JOBS, sql
from tests.journey.stack import Stack

ASKED: Final = 300

_FILL: Final = """
INSERT INTO jobs (id, type, queue, state, priority, body, body_hash, max_retries, timeout_seconds, created_at,
                  traceparent)
SELECT submit_uuid(substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3) || uuid_send(gen_random_uuid()),
                   7),
       'echo', 'default', 'queued', CASE WHEN n % 5 = 0 THEN 1 + n / 5 % 10 ELSE 5 END,
       convert_to(concat('{"type":"echo","payload":{"message":"', repeat('x', 120), '"}}'), 'UTF8'),
       substring(sha256(int8send(n)) FOR 16), 3, 300, at,
       '00-' || md5(n::text) || '-' || left(md5(n::text), 16) || '-01'
  FROM (SELECT n, clock_timestamp() - ($1 - n) * interval '1 hour' / $1 AS at FROM generate_series(1, $1::int) n) drawn
 ORDER BY n
"""
_COUNT: Final = """
INSERT INTO job_counts (state, type, queue, priority, jobs)
SELECT state, type, queue, priority, count(*) FROM jobs GROUP BY 1, 2, 3, 4
"""
_POSTS: Final = """
INSERT INTO outbox (job_id, run, publish_after)
SELECT id, 1, created_at + interval '10 seconds' FROM jobs ORDER BY id LIMIT $1
"""
DEAD: Final = 50_000
_ENDS: Final = """
(SELECT id FROM jobs ORDER BY created_at LIMIT 10) UNION ALL (SELECT id FROM jobs ORDER BY created_at DESC LIMIT 10)
UNION ALL (SELECT id FROM jobs WHERE id > $1::uuid ORDER BY id LIMIT 10)
"""
_INDEXES: Final = """
SELECT indexname, indexdef FROM pg_indexes i
 WHERE schemaname = 'warren' AND tablename = 'jobs'
   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)
"""


def measure(jobs: int = 1_000_000) -> list[Figure]:
    """The p95 of each, on one set of servers."""
    with stage(workers=False) as stack:
        stack.stop("scheduler")  # it would begin to publish
        stack.stop("recorder")
        asyncio.run(_fill(stack, jobs))
        ids = asyncio.run(_chosen(stack))
        walks = _walks(stack)
        figures = [*_ask(stack, ids, f"{jobs:,} queued"), *_ask(stack, ids, "its timeline", "timeline")]
        asyncio.run(_post(stack, jobs))
        figures += _ask(stack, ids, "all in the outbox")
        asyncio.run(sql(stack.database_url, "TRUNCATE outbox"))
        asyncio.run(_post(stack, DEAD))
        asyncio.run(sql(stack.database_url, "DELETE FROM outbox"))
        figures += _ask(stack, ids, f"{DEAD:,} dead rows in the outbox")
        return [*figures, Figure("walks through jobs or attempts", _walks(stack) - walks, "", at_most=0)]


async def _fill(stack: Stack, jobs: int) -> None:
    connection = await asyncpg.connect(
        stack.database_url, server_settings={"search_path": "warren", "maintenance_work_mem": "256MB"}
    )
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")  # no trigger a row
        later = await connection.fetch(_INDEXES)
        for index in later:
            await connection.execute(f"DROP INDEX warren.{index['indexname']}")
        await connection.execute(_FILL, jobs)
        for index in later:
            await connection.execute(index["indexdef"])
        await connection.execute(_COUNT)
    await connection.execute("VACUUM (ANALYZE) warren.jobs, warren.job_counts")
    await connection.close()


async def _post(stack: Stack, rows: int) -> None:
    await sql(stack.database_url, _POSTS, rows)
    await sql(stack.database_url, "ANALYZE outbox")  # as autovacuum does within a minute


async def _chosen(stack: Stack) -> list[str]:
    """From all over, and those at the ends."""
    rows = await sql(
        stack.database_url, "SELECT id FROM jobs TABLESAMPLE bernoulli(1) ORDER BY random() LIMIT $1", ASKED
    )
    ends = await sql(stack.database_url, _ENDS, rows[0]["id"])
    return [str(row["id"]) for row in (*rows, *ends)]


def _ask(stack: Stack, ids: list[str], name: str, what: str = "why") -> list[Figure]:
    _took(stack, [f"{JOBS}/{ids[0]}/{what}"] * 10)  # it has connections and a plan
    took = _took(stack, [f"{JOBS}/{job_id}/{what}" for job_id in ids])
    beside = f"p50 {statistics.median(took):.1f} ms, worst {max(took):.1f}"
    return [Figure(f"{what}, {name}, p95", _p95(took), "ms", at_most=20, beside=beside)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.why", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    tell(measure(parser.parse_args().jobs))


if __name__ == "__main__":
    main()
