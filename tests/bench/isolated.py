"""What a child process costs: `python -m tests.bench.isolated [--jobs 2000] [--rounds 1]`.

No-op jobs on threads and in child processes, drained by turns in one run by one worker process with two of each, so
that both claim as many at a time; the start of the child processes is in it.  Asked by hand: it has no bar, for what a
child process costs is not what it is for, and so it is not on the page.
"""

from __future__ import annotations

import argparse
import statistics

from tests.bench.backlog import declare, drained
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage

PLACES = "2"


def compared(jobs: int = 2_000, rounds: int = 1) -> list[Figure]:
    """The rates and their ratio; medians."""
    on_thread, in_child = list[float](), list[float]()
    with stage(workers=False, WARREN_THREADS=PLACES, WARREN_CHILDREN=PLACES) as stack:
        declare(stack)
        for _ in range(rounds):
            on_thread.append(drained(stack, "noop_sync", jobs, processes=1))
            in_child.append(drained(stack, "noop_apart", jobs, processes=1))
    ratios = [child / thread for child, thread in zip(in_child, on_thread, strict=True)]
    return [
        Figure("no-op jobs drained by two threads", statistics.median(on_thread), "/s"),
        Figure("no-op jobs drained by two child processes", statistics.median(in_child), "/s"),
        Figure("child processes, of threads", statistics.median(ratios), ""),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.isolated", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    tell(compared(given.jobs, given.rounds))


if __name__ == "__main__":
    main()
