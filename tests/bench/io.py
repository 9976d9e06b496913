"""How many jobs that wait one process does: `python -m tests.bench.io [--jobs 30000] [--concurrency 500]`.

Each job waits 50 ms, as for a database or an HTTP service, so that the slots and not the processor are what is scarce.
"""

from __future__ import annotations

import argparse

from tests.bench.backlog import declare, drained
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage

PER_SECOND = 4_000
CONCURRENCY = 500


def measure(jobs: int = 30_000, concurrency: int = CONCURRENCY) -> list[Figure]:
    with stage(workers=False) as stack:
        declare(stack)
        rate = drained(stack, "io", jobs, processes=1, concurrency=concurrency)
    return [Figure("50 ms jobs in one process", rate, "/s", at_least=PER_SECOND, beside=f"concurrency {concurrency}")]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.io", description=__doc__)
    parser.add_argument("--jobs", type=int, default=30_000)
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY)
    given = parser.parse_args()
    tell(measure(given.jobs, given.concurrency))


if __name__ == "__main__":
    main()
