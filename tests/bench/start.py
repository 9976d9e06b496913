"""How soon and how large: `python -m tests.bench.start [--rounds 3] [--jobs 30000]`.

The seconds from `python -m actors` to the first outcome of a job that waited for it, and the memory of the largest
process of the workers after its start and after so many jobs.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from datetime import datetime
from pathlib import Path

from tests.bench.backlog import ACTORS, declare, preload, until_done
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.eventually import eventually
from tests.journey.api import sql
from tests.journey.stack import Stack

FIRST_SECONDS, RSS_MB = 2.0, 130.0
FIRST = "SELECT extract(epoch FROM min(finished_at))::float8 AS first FROM warren.jobs WHERE created_at >= $1"


def measure(rounds: int = 3, jobs: int = 30_000) -> list[Figure]:
    with stage(workers=False) as stack:
        declare(stack)
        first = statistics.median(_first(stack) for _ in range(rounds))
        small, large = _sizes(stack, jobs)
    return [
        Figure("first job after `python -m actors`", first, "s", at_most=FIRST_SECONDS),
        Figure("largest worker after its start", small, "MB", at_most=RSS_MB),
        Figure(f"largest worker after {jobs:,} jobs", large, "MB", at_most=RSS_MB),
    ]


def _first(stack: Stack) -> float:
    begun, started = asyncio.run(preload(stack, "noop", 1)), time.time()
    stack.workers(processes=1, WARREN_ACTORS=ACTORS)
    ended = asyncio.run(_ended(stack, begun))
    stack.stop("actors")
    return ended - started


def _sizes(stack: Stack, jobs: int) -> tuple[float, float]:
    """After one job and after all of them, in MB."""
    begun = asyncio.run(preload(stack, "noop", 1))
    stack.workers(processes=2, WARREN_ACTORS=ACTORS)
    asyncio.run(_ended(stack, begun))
    small = _largest(stack)
    begun = asyncio.run(preload(stack, "noop", jobs))
    asyncio.run(until_done(stack, begun, jobs))
    large = _largest(stack)
    stack.stop("actors")
    return small, large


async def _ended(stack: Stack, begun: datetime) -> float:
    """When the first job since then was done, by its worker's clock."""

    async def ended() -> float | None:
        (row,) = await sql(stack.database_url, FIRST, begun)
        return None if row["first"] is None else float(row["first"])

    return await eventually(ended, within=30) or 0.0


def _largest(stack: Stack) -> float:
    everyone = [stack.processes["actors"].pid, *stack.masters(), *stack.worker_pids()]
    return max(_megabytes(pid) for pid in everyone)


def _megabytes(pid: int) -> float:
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=30_000)
    given = parser.parse_args()
    tell(measure(given.rounds, given.jobs))


if __name__ == "__main__":
    main()
