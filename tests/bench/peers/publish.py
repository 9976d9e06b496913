"""Be somebody's publisher: `python -m tests.bench.peers.publish MODULE preload JOBS`, or `… pace JOBS PER_SECOND`.

A process of its own, so that no library of a peer is loaded beside the one who measures.  The pace is kept at moments
that are drawn, so that no timer can keep step with them; the same moments in each run.
"""

from __future__ import annotations

import importlib
import random
import sys
import time

from tests.bench.peers.work import timed

WARM_JOBS = 20  # a first connection, a first statement: users meet them once


def pace(module: str, jobs: int, per_second: float) -> None:
    """So many timed jobs; what `submit` takes delays the next one by nothing."""
    with importlib.import_module(module).publisher() as submit:
        drawn, due = random.Random(5), time.monotonic()
        for _ in range(WARM_JOBS + jobs):
            time.sleep(max(0.0, due - time.monotonic()))
            submit(timed())
            due += drawn.uniform(0, 2 / per_second)


def main() -> None:
    module, verb, *numbers = sys.argv[1:]
    if verb == "preload":
        importlib.import_module(module).preload(int(numbers[0]))
    else:
        pace(module, int(numbers[0]), float(numbers[1]))


if __name__ == "__main__":
    main()
