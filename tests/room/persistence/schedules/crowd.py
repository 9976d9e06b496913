"""Many schedules with many runs, as a clock would have left them; written in bulk, far from due.

Their types are those of tests/bench/lifelike.py's jobs.
"""

from __future__ import annotations

from typing import Final

import asyncpg

_SCHEDULES: Final = """
INSERT INTO schedules (id, name, job_type, payload, tags, spec, overlap, catch_up, catch_up_window_seconds, state,
                       segment, next_due, next_fire_at, owner, created_at)
SELECT id, 'schedule ' || n, CASE WHEN n % 5000 = 1 THEN 'yearly' ELSE 'mail' END, '{}',
       CASE WHEN n % 1000 = 7 THEN ARRAY['recall'] WHEN n % 2 = 0 THEN ARRAY['news'] END,
       '{"interval_seconds":86400}', 'skip', 'latest', 86400, state, get_byte(sha256(uuid_send(id)), 0) % 128,
       CASE state WHEN 'active' THEN due END, CASE state WHEN 'active' THEN due END,
       CASE WHEN n % 1000 = 9 THEN 'somebody' ELSE '' END, clock_timestamp() - (($1 - n) || ' seconds')::interval
  FROM (SELECT n, md5(n::text)::uuid AS id, clock_timestamp() + (n % 86000 + 300 || ' seconds')::interval AS due,
               CASE n % 40 WHEN 3 THEN 'paused' WHEN 5 THEN 'ended' ELSE 'active' END AS state
          FROM generate_series(1, $1::int) n) drawn
"""

# One in a hundred is open, one in a hundred waits
_RUNS: Final = """
INSERT INTO schedule_runs (schedule_id, due_at, segment, kind, fate, job_id, fires_at, created_at, ended_at, outcome)
SELECT s.id, due, s.segment, 'due', CASE WHEN r.n % 100 = 3 THEN 'buffered' ELSE 'fired' END,
       CASE WHEN r.n % 100 <> 3 THEN md5('job' || r.n)::uuid END, due, due,
       CASE WHEN r.n % 100 NOT IN (3, 5) THEN due END, CASE WHEN r.n % 100 NOT IN (3, 5) THEN 'completed' END
  FROM generate_series(1, $1::int) r(n) JOIN schedules s ON s.id = md5((1 + r.n % ($1 / 2))::text)::uuid
 CROSS JOIN LATERAL (SELECT clock_timestamp() - (r.n || ' seconds')::interval AS due) d
"""


async def crowd(url: str, number: int) -> None:
    """So many schedules, and as many runs."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "warren"})
    await connection.execute(_SCHEDULES, number)
    await connection.execute(_RUNS, number)
    await connection.execute("VACUUM (ANALYZE) schedules, schedule_runs")
    await connection.close()
