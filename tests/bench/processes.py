"""What another worker process brings: `python -m tests.bench.processes [--jobs 15000]`.

The same backlog of no-op jobs with one, two and four worker processes, on a machine whose cores they share with
RabbitMQ and Postgres.
"""

from __future__ import annotations

import argparse
from typing import Final

from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.bench.worked_off import WorkedOff, work_off

PROCESSES: Final = (1, 2, 4)


def measure(jobs: int = 15_000) -> list[Figure]:
    """The rate of each number, and one process against two."""
    with stage(workers=False) as stack:
        found = {number: work_off(stack, jobs, processes=number) for number in PROCESSES}
    figures = [Figure(f"drain, {_named(n)}", one.per_second, "/s", beside=_costs(one)) for n, one in found.items()]
    share = 100 * found[1].per_second / found[2].per_second
    return [*figures, Figure("one process against two", share, "%", at_least=60)]


def _named(number: int) -> str:
    return f"{number} process" + ("es" if number > 1 else "")


def _costs(one: WorkedOff) -> str:
    return f"{one.micros['workers']:.0f} µs of workers a job"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.processes", description=__doc__)
    parser.add_argument("--jobs", type=int, default=15_000)
    tell(measure(parser.parse_args().jobs))


if __name__ == "__main__":
    main()
