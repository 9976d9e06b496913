"""A backlog of echoes that is worked off beside whatever else stands in the table.

Its end is seen in the counts, which cost the same however many jobs there are; its rate is told by its own rows, from
the first start to the last recorded outcome.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from tests.bench.backlog import preload
from tests.bench.computed import computed, micros_a_job
from tests.journey.api import sql
from tests.journey.stack import Stack

LOOK_SECONDS: Final = 0.1
BEGAN: Final = "SELECT clock_timestamp() AS at"
DONE: Final = """
SELECT coalesce(sum(jobs), 0)::int AS done
  FROM (SELECT * FROM job_counts UNION ALL SELECT * FROM job_deltas) c WHERE type = 'echo' AND state = 'completed'
"""
TOOK: Final = """
SELECT extract(epoch FROM max(finished_at) - min(started_at))::float8 AS took FROM jobs
 WHERE created_at >= $1 AND type = 'echo' AND state = 'completed'
"""


@dataclass(frozen=True, slots=True)
class WorkedOff:
    """How fast, and what a job has cost each role, the start of the processes left out."""

    per_second: float
    micros: dict[str, float]


def work_off(stack: Stack, jobs: int, *, processes: int = 2, size_bytes: int = 0) -> WorkedOff:
    """Accept so many echoes of that size, then start workers that do them; they are stopped in the end."""
    (began,) = asyncio.run(sql(stack.database_url, BEGAN))
    before = asyncio.run(done(stack))
    payload = b'{"message":"%s"}' % (b"x" * max(5, size_bytes - 100))
    asyncio.run(preload(stack, "echo", jobs, payload))
    stack.workers(processes=processes)
    first, spent = 0, dict[str, float]()
    while (now := asyncio.run(done(stack)) - before) < jobs:
        if now and not spent:
            first, spent = now, computed(stack)
        time.sleep(LOOK_SECONDS)
    micros = micros_a_job(spent, computed(stack), max(1, jobs - first))
    (row,) = asyncio.run(sql(stack.database_url, TOOK, began["at"]))
    stack.stop("actors")
    return WorkedOff(jobs / row["took"], micros)


async def done(stack: Stack) -> int:
    """How many echoes have been completed."""
    (row,) = await sql(stack.database_url, DONE)
    return int(row["done"])
