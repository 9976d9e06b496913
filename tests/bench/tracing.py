"""What traces cost the drain: `python -m tests.bench.tracing [--jobs 15000] [--rounds 2]`.

The same backlog of no-op jobs by turns: with no exporter, with one and no job recorded of a hundred but one, with one
and all recorded, three spans each.  A figure is a ratio within one run.  What the collector gets is counted, because
spans that were dropped would cost nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import sys
from collections.abc import Iterator
from itertools import count

from tests.bench.backlog import ACTORS, preload
from tests.bench.computed import computed
from tests.bench.drained import Drained, watch
from tests.bench.figure import Figure, tell
from tests.bench.peers import work
from tests.bench.stage import stage
from tests.eventually import eventually
from tests.journey.stack import ROOT, Stack
from wire.tracing import RECORDED, UNRECORDED, Trace

DONE = """
SELECT count(*) FILTER (WHERE state = 'completed') AS done,
       extract(epoch FROM max(finished_at) - min(started_at)) AS took
  FROM warren.jobs WHERE created_at >= '{begun}'
"""
SPANS_A_JOB = 3  # wait, process, record
EVERY = {"off": 0, "1 %": 100, "100 %": 1}  # which job of how many is recorded
BARS = {"1 %": 0.95, "100 %": 0.7}


class Sink:
    """The collector's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{self._line()}"

    def count(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    command = [sys.executable, "-m", "tests.bench.sink"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Sink(process)
        process.kill()


def measure(jobs: int = 15_000, rounds: int = 2) -> list[Figure]:
    """How much of the drain is left, and what a job costs the workers more."""
    found: dict[str, list[Drained]] = {mode: [] for mode in EVERY}
    with sink() as collector, stage(WARREN_ACTORS=ACTORS) as stack:
        stack.stop("actors")  # they have registered their types
        for turn in range(rounds):
            for mode in EVERY if turn % 2 == 0 else reversed(EVERY):
                found[mode].append(_drain(stack, collector, mode, jobs))
    rates = {mode: statistics.median(one.per_second for one in runs) for mode, runs in found.items()}
    micros = {mode: statistics.median(one.micros["workers"] for one in runs) for mode, runs in found.items()}
    return [
        Figure("drained with no exporter", rates["off"], "jobs/s", beside=f"workers {micros['off']:.0f} µs a job"),
        *(
            Figure(
                f"of it with {mode} of the jobs traced", rates[mode] / rates["off"], "", at_least=bar,
                beside=f"{rates[mode]:,.0f} jobs/s, workers {micros[mode]:.0f} µs a job",
            )
            for mode, bar in BARS.items()
        ),
    ]  # fmt: skip


def _drain(stack: Stack, collector: Sink, mode: str, jobs: int) -> Drained:
    every, number = EVERY[mode], count(1)

    def traced() -> Trace:
        flags = RECORDED if every and next(number) % every == 0 else UNRECORDED
        return Trace(Trace.begin().trace_id, "00f067aa0ba902b7", flags)

    begun = asyncio.run(preload(stack, "noop", jobs, work.encoded(work.payload()), traced))
    stack.workers(processes=2, **({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url} if every else {}))
    drained = watch(stack.database_url, DONE.format(begun=begun.isoformat()), jobs, lambda: computed(stack))
    stack.stop("actors")
    if every:
        asyncio.run(_all_arrived(collector, jobs // every * SPANS_A_JOB))
    return drained


async def _all_arrived(collector: Sink, spans: int) -> None:
    """The statements have spans of their own besides."""
    arrived = 0

    def enough() -> bool:
        nonlocal arrived
        arrived += collector.count()
        return arrived >= spans

    try:
        await eventually(enough, within=10)
    except AssertionError:
        raise AssertionError(f"{arrived} of {spans} spans arrived: what was dropped has cost nothing") from None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.tracing", description=__doc__)
    parser.add_argument("--jobs", type=int, default=15_000)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    tell(measure(given.jobs, given.rounds))


if __name__ == "__main__":
    main()
