"""What a million schedules cost: `python -m tests.bench.million_schedules [--schedules 1000000] [--seconds 20]`.

Nearly all of them are due on another day; a hundred a second are due now.  The clock's processor time is the kernel's
count, and Postgres' own counters say whether anything has walked through a whole table meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import time

from tests.bench import timed
from tests.bench.backlog import declare
from tests.bench.computed import computed
from tests.bench.figure import Figure, tell
from tests.bench.heard import Ear, at
from tests.bench.stage import stage
from tests.journey.api import sql
from tests.journey.stack import Stack

PER_SECOND, PERIOD_SECONDS = 100, 60
CORE_PERCENT = 25
REST_SECONDS = 3.0
SEEN = """
SELECT pg_stat_force_next_flush(), (SELECT sum(seq_scan)::int FROM pg_stat_user_tables
                                     WHERE relname IN ('schedules', 'schedule_runs', 'jobs', 'outbox')) AS walks
"""


def measure(schedules: int = 1_000_000, seconds: int = 20) -> list[Figure]:
    with stage(workers=False) as stack:
        declare(stack)
        timed.seldom(stack, schedules - PER_SECOND * PERIOD_SECONDS)
        asyncio.run(sql(stack.database_url, "ANALYZE schedules"))
        with Ear(stack.amqp_url, timed.TYPE).open() as ear:
            timed.every(stack, PERIOD_SECONDS, PER_SECOND * PERIOD_SECONDS, apart=1 / PER_SECOND)
            ear.wait_for(1, 30)
            time.sleep(REST_SECONDS)
            walks, before, began = _walks(stack), computed(stack), time.time()
            time.sleep(seconds)
            after, took = computed(stack), time.time() - began
            walks = _walks(stack) - walks
            late = [one.late for one in ear.heard() if began <= one.due < began + took - 1]
    percent = {role: 100 * (after[role] - before[role]) / took for role in ("scheduler", "postgres", "rabbitmq")}
    servers = f"Postgres {percent['postgres']:.0f} %, RabbitMQ {percent['rabbitmq']:.0f} %"
    rate = f"{len(late) / (took - 1):.0f} jobs/s"
    lateness = f"late p50 {1_000 * at(late, 0.5):.1f}, p99 {1_000 * at(late, 0.99):.1f} ms"
    return [
        Figure(f"clock, {PER_SECOND}/s of {schedules:,} schedules", percent["scheduler"], "% core",
               at_most=CORE_PERCENT, beside=f"{servers}; {rate}, {lateness}"),
        Figure("walks through schedules, runs, jobs or outbox", walks, "", at_most=0),
    ]  # fmt: skip


def _walks(stack: Stack) -> int:
    """How often all of a table was read; whoever read it has said so by the time it is idle."""
    (row,) = asyncio.run(sql(stack.database_url, SEEN))
    return int(row["walks"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.million_schedules", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=20)
    given = parser.parse_args()
    tell(measure(given.schedules, given.seconds))


if __name__ == "__main__":
    main()
