"""How the size of a job changes its rate: `python -m tests.bench.payloads [--jobs 10000]`.

The same backlog of no-op jobs with bodies of 200 bytes, 2 KB and 20 KB, two worker processes; each result is as large
as its payload, so that a job moves its size four times: into the table, through the broker, to the worker and back.
"""

from __future__ import annotations

import argparse
from typing import Final

from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.bench.worked_off import work_off

SIZES: Final = {"200 B": 200, "2 KB": 2_000, "20 KB": 20_000}


def measure(jobs: int = 10_000) -> list[Figure]:
    """The rate of each size."""
    figures = []
    with stage(workers=False) as stack:
        for name, size_bytes in SIZES.items():
            rate = work_off(stack, jobs, size_bytes=size_bytes).per_second
            figures.append(Figure(f"drain of {name} jobs", rate, "/s", beside=f"{rate * size_bytes / 1e6:.1f} MB/s"))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.payloads", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    tell(measure(parser.parse_args().jobs))


if __name__ == "__main__":
    main()
