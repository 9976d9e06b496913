"""How fast jobs are taken one request each: `python -m tests.bench.http [--seconds 8] [--profile FILE]`.

One gateway process, and wrk with 32 connections, each of which sends its next job when its last one was answered: once
with no worker there, and once with two worker processes that drain meanwhile.  The bar was set for the machine that
everything else, wrk included, shares.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.computed import computed, micros_a_job
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.journey.api import JOBS
from tests.journey.stack import Stack

CONNECTIONS = 32
AT_LEAST_PER_SECOND, AT_MOST_MILLIS = 1_500, 50
WARM_SECONDS = 2
SCRIPT = Path(__file__).with_name("echo.lua")
MISSING = "wrk is not here; on Debian: apt-get install wrk"


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw, and what one request has cost each role meanwhile."""

    per_second: float
    p50: float  # all in milliseconds
    p95: float
    p99: float
    worst: float
    micros: dict[str, float]


def load(stack: Stack, seconds: float) -> Load:
    """So many seconds of single submissions, after a few that do not count."""
    _wrk(stack, WARM_SECONDS)
    before = computed(stack)
    said = _wrk(stack, seconds)
    assert (0, 0) == (said["refused"], said["broken"]), said
    micros = micros_a_job(before, computed(stack), said["requests"])
    p50, p95, p99, worst = (said[name] / 1_000 for name in ("p50", "p95", "p99", "worst"))
    return Load(said["requests"] / said["micros"] * 1e6, p50, p95, p99, worst, micros)


def measure(seconds: float = 8, profile: Path | None = None) -> list[Figure]:
    """Without workers, and with two."""
    with stage(workers=False) as stack:
        watcher = _watch(stack, seconds, profile) if profile else None
        alone = load(stack, seconds)
        if watcher:
            watcher.wait()
        stack.workers()
        stack.wait_until(lambda: stack.consuming(2), "2 workers consume")
        beside = load(stack, seconds)
    return [*_figures("no workers", alone), *_figures("two workers drain", beside)]


def _wrk(stack: Stack, seconds: float) -> dict[str, int]:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit(MISSING)
    options = [f"-c{CONNECTIONS}", "-t1", f"-d{seconds:g}s", "-s", str(SCRIPT)]
    said = subprocess.run([wrk, *options, stack.url + JOBS], capture_output=True, text=True, check=True)
    return dict(json.loads(said.stdout.splitlines()[-1]))


def _figures(scene: str, load: Load) -> list[Figure]:
    costs = ", ".join(f"{role} {micros:.0f}" for role, micros in load.micros.items())
    tail = f"p50 {load.p50:.1f}, p99 {load.p99:.1f}, worst {load.worst:.0f} ms"
    return [
        Figure(f"single submissions, {scene}", load.per_second, "jobs/s", at_least=AT_LEAST_PER_SECOND, beside=tail),
        Figure(f"single submissions, {scene}, p95", load.p95, "ms", at_most=AT_MOST_MILLIS),
        Figure(f"single submissions, {scene}, gateway", load.micros["gateway"], "µs/job", beside=f"all, µs: {costs}"),
    ]


def _watch(stack: Stack, seconds: float, profile: Path) -> subprocess.Popen[bytes]:
    pid, duration = str(stack.processes["gateway"].pid), str(int(WARM_SECONDS + seconds))
    return subprocess.Popen(
        ["py-spy", "record", "-p", pid, "-d", duration, "-r", "400", "-f", "raw", "-o", str(profile)]
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.http", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--profile", type=Path, help="write py-spy's stacks of the gateway to this file")
    given = parser.parse_args()
    tell(measure(given.seconds, given.profile))


if __name__ == "__main__":
    main()
