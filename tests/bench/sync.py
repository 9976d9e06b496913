"""What a thread costs: `python -m tests.bench.sync [--jobs 10000] [--rounds 1]`.

No-op jobs on the loop and on threads, drained by turns in one run by two worker processes; the ratio of the rates is
what a thread costs.
"""

from __future__ import annotations

import argparse
import statistics

from tests.bench.backlog import declare, drained
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage

OF_ASYNC = 0.7


def measure(jobs: int = 10_000, rounds: int = 1, processes: int = 2) -> list[Figure]:
    """The rates and their ratio; medians."""
    on_loop, on_thread = list[float](), list[float]()
    with stage(workers=False) as stack:
        declare(stack)
        for _ in range(rounds):
            on_loop.append(drained(stack, "noop", jobs, processes=processes))
            on_thread.append(drained(stack, "noop_sync", jobs, processes=processes))
    ratios = [thread / loop for loop, thread in zip(on_loop, on_thread, strict=True)]
    return [
        Figure("async no-op jobs drained", statistics.median(on_loop), "/s"),
        Figure("sync no-op jobs drained", statistics.median(on_thread), "/s"),
        Figure("sync no-op, of async", statistics.median(ratios), "", at_least=OF_ASYNC),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sync", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    tell(measure(given.jobs, given.rounds))


if __name__ == "__main__":
    main()
