"""How punctual the clock is: `python -m tests.bench.punctual [--seconds 20] [--per-second 50]`.

Schedules of one second each, due one after another, so that the clock has no crowd to hide in.  What counts is when
a subscriber of RabbitMQ hears the job, less when it was due.
"""

from __future__ import annotations

import argparse

from tests.bench import timed
from tests.bench.backlog import declare
from tests.bench.figure import Figure, tell
from tests.bench.heard import Ear, at
from tests.bench.stage import stage

P50_MILLIS, P99_MILLIS = 10, 100
WARM_SECONDS = 3
PATIENCE_SECONDS = 30.0


def measure(seconds: int = 20, per_second: int = 50) -> list[Figure]:
    """After the first few seconds, which a process that has just started is forgiven."""
    with stage(workers=False) as stack:
        declare(stack)
        with Ear(stack.amqp_url, timed.TYPE).open() as ear:
            first = timed.every(stack, 1.0, per_second, apart=1 / per_second).timestamp() + WARM_SECONDS
            ear.wait_for(per_second * (WARM_SECONDS + seconds), WARM_SECONDS + seconds + PATIENCE_SECONDS)
            found = [one.late for one in ear.heard() if first <= one.due < first + seconds]
    expected = seconds * per_second
    beside = f"p95 {1_000 * at(found, 0.95):.1f}, worst {1_000 * max(found):.1f} ms; early: {sum(x < 0 for x in found)}"
    return [
        Figure(f"due → published, {per_second}/s, p50", 1_000 * at(found, 0.5), "ms", at_most=P50_MILLIS,
               beside=beside),
        Figure(f"due → published, {per_second}/s, p99", 1_000 * at(found, 0.99), "ms", at_most=P99_MILLIS),
        Figure("runs of due times", 100 * len(found) / expected, "%", at_least=100, beside=f"{expected:,} due"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.punctual", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--per-second", type=int, default=50)
    given = parser.parse_args()
    tell(measure(given.seconds, given.per_second))


if __name__ == "__main__":
    main()
