"""How fast jobs are accepted in bulk: `python -m tests.bench.bulk [--requests 5] [--jobs 10000] [--profile FILE]`.

Servers of its own, one gateway process, no workers; each request is an array of echoes, one after the other over one
connection.  Beside them a second client submits single jobs, and says how long each took.  A budget that is printed,
not a gate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import time
from pathlib import Path

import httpx

from tests.bench.computed import computed, micros_a_job
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.eventually import eventually
from tests.journey.api import JOBS, sql
from tests.journey.stack import Stack

AT_LEAST_PER_SECOND = 8_000  # one gateway process, two cores shared with both stores
ECHO = {"type": "echo", "payload": {"message": "a message of usual length, such as this"}}


async def accept(stack: Stack, requests: int, jobs: int) -> tuple[float, list[float]]:
    """The seconds it took, and those of each single job beside it."""
    body = json.dumps([ECHO] * jobs).encode()
    over, singles = asyncio.Event(), list[float]()
    async with httpx.AsyncClient(base_url=stack.url, timeout=300, trust_env=False) as client:
        beside = asyncio.create_task(_singles(client, over, singles))
        started = time.perf_counter()
        for _ in range(requests):
            response = await client.post(f"{JOBS}/bulk", content=body, headers={"Content-Type": "application/json"})
            assert response.status_code == 200, response.text[:500]
        took = time.perf_counter() - started
        over.set()
        await beside
    return took, singles


async def _singles(client: httpx.AsyncClient, over: asyncio.Event, took: list[float]) -> None:
    while not over.is_set():
        started = time.perf_counter()
        assert (await client.post(JOBS, json=ECHO)).status_code == 202
        took.append(time.perf_counter() - started)
        await asyncio.sleep(0.02)


async def published(stack: Stack) -> float:
    """The seconds until the outbox is empty."""
    started = time.perf_counter()
    await eventually(lambda: _empty(stack), within=60)
    return time.perf_counter() - started


async def _empty(stack: Stack) -> bool:
    return not (await sql(stack.database_url, "SELECT count(*) FROM outbox"))[0][0]


def measure(requests: int = 5, jobs: int = 10_000, profile: Path | None = None) -> list[Figure]:
    """One gateway, nobody who does the jobs."""
    with stage(workers=False) as stack:
        watcher = _watch(stack, profile) if profile else None
        before = computed(stack)
        took, singles = asyncio.run(accept(stack, requests, jobs))
        rest = asyncio.run(published(stack))
        micros = micros_a_job(before, computed(stack), requests * jobs)
        if watcher:
            watcher.wait()
    singles.sort()
    p50, p95 = (singles[int(len(singles) * share)] * 1_000 for share in (0.50, 0.95))
    costs = ", ".join(f"{role} {cost:.0f}" for role, cost in micros.items())
    later = f"published {rest:.1f} s later; µs a job: {costs}"
    return [
        Figure("accepted in bulk", requests * jobs / took, "jobs/s", at_least=AT_LEAST_PER_SECOND, beside=later),
        Figure("a single job beside a bulk, p50", p50, "ms", beside=f"{len(singles)} jobs"),
        Figure("a single job beside a bulk, p95", p95, "ms"),
    ]


def _watch(stack: Stack, profile: Path) -> subprocess.Popen[bytes]:
    pid = str(stack.processes["gateway"].pid)
    return subprocess.Popen(["py-spy", "record", "-p", pid, "-d", "15", "-r", "200", "-f", "raw", "-o", str(profile)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bulk", description=__doc__)
    parser.add_argument("--requests", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--profile", type=Path, help="write py-spy's stacks of the gateway to this file")
    given = parser.parse_args()
    tell(measure(given.requests, given.jobs, given.profile))


if __name__ == "__main__":
    main()
