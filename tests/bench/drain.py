"""How fast a backlog drains, and at what cost: `python -m tests.bench.drain [--jobs 30000] [--profile FILE]`.

Servers of its own, two worker processes, no-op jobs of 200 bytes whose rows stand and whose messages wait in their
queue; the rate is from the first start to the last recorded outcome, as Postgres saw them.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
from pathlib import Path

from tests.bench.backlog import ACTORS, preload
from tests.bench.computed import computed
from tests.bench.drained import Drained, watch
from tests.bench.figure import Figure, tell
from tests.bench.peers import work
from tests.bench.stage import stage
from tests.journey.stack import Stack

BARS_MICROS = {"workers": 120, "postgres": 60}
LOOK = """
SELECT coalesce(sum(jobs), 0)::int AS done
  FROM (SELECT state, jobs FROM warren.job_counts UNION ALL SELECT state, jobs FROM warren.job_deltas) c
 WHERE state = 'completed'
"""
DRAINED = """
SELECT count(*) FILTER (WHERE state = 'completed') AS done,
       extract(epoch FROM max(finished_at) - min(started_at)) AS took
  FROM warren.jobs
"""


def drain(stack: Stack, jobs: int, profile: Path | None = None, processes: int = 2) -> Drained:
    """Start the workers and let them do all that waits."""
    stack.workers(processes=processes)
    watchers = list[subprocess.Popen[bytes]]()

    def begun() -> None:
        if profile:
            watchers.append(_watch(stack, profile))

    drained = watch(stack.database_url, DRAINED, jobs, lambda: computed(stack), begun, look=LOOK)
    stack.stop("actors")
    for watcher in watchers:
        watcher.wait()
    return drained


def _watch(stack: Stack, profile: Path) -> subprocess.Popen[bytes]:
    pid = str(stack.worker_pids()[0])
    return subprocess.Popen(["py-spy", "record", "-p", pid, "-d", "60", "-r", "200", "-f", "raw", "-o", str(profile)])


def measure(jobs: int = 30_000, processes: int = 2, profile: Path | None = None) -> list[Figure]:
    """A backlog of no-op jobs, and what each of them has cost."""
    with stage(WARREN_ACTORS=ACTORS) as stack:
        stack.stop("actors")  # they have registered their types
        asyncio.run(preload(stack, "noop", jobs, work.encoded(work.payload())))
        drained = drain(stack, jobs, profile, processes)
    told = ", ".join(f"{role} {micros:.0f}" for role, micros in drained.micros.items())
    costs = [
        Figure(f"processor time a no-op job, {role}", drained.micros[role], "µs", at_most=bar)
        for role, bar in BARS_MICROS.items()
    ]
    return [Figure(f"{jobs:,} no-op jobs drained", drained.per_second, "jobs/s", beside=f"µs: {told}"), *costs]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.drain", description=__doc__)
    parser.add_argument("--jobs", type=int, default=30_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--profile", type=Path, help="write py-spy's stacks of one worker to this file")
    given = parser.parse_args()
    tell(measure(given.jobs, given.processes, given.profile))


if __name__ == "__main__":
    main()
