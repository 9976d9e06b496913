"""Whether memory stays flat: `python -m tests.bench.memory [--jobs 60000]`; the long form is `--jobs 1000000`.

Jobs come in bulk over HTTP and as messages over AMQP, half of each, never far ahead of the two workers that do them,
and the memory of every process is looked at as they are completed.  A process grows while it warms up, so the verdict
is of the last half: a line through its looks, in bytes a job.  A leak of one small object a job is a hundred.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx

from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.bench.worked_off import done
from tests.journey.api import JOBS
from tests.journey.stack import Stack
from wire.envelope import Envelope, encode
from wire.identity import fresh_id
from wire.message import Outgoing, birth_message
from wire.rabbitmq.amqp import Broker
from wire.tracing import Trace

AT_ONCE: Final = 1_000  # jobs by each door, then a look
AHEAD: Final = 4_000  # how many may wait
MOST_MB: Final = 130.0
FLAT_BYTES: Final = 100.0  # a job
ECHO: Final = {"type": "echo", "payload": {"message": "a message of usual length, such as this"}}

SAYS_JSON: Final = {"Content-Type": "application/json"}
LOOK_SECONDS: Final = 0.1
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

Looks = list[tuple[int, Mapping[str, float]]]  # jobs done, and the megabytes of each process


def measure(jobs: int = 60_000) -> list[Figure]:
    """The most that each process had, and what it grew by."""
    with stage() as stack:
        looks = asyncio.run(_run(stack, jobs))
    figures = []
    for name in looks[0][1]:
        megabytes = [seen[name] for _, seen in looks]
        half = [(number, seen[name]) for number, seen in looks if number >= jobs / 2]
        told = f"{megabytes[0]:.0f} MB at first, {megabytes[-1]:.0f} MB after {looks[-1][0]:,} jobs"
        figures.append(Figure(f"{name}, most", max(megabytes), "MB", at_most=MOST_MB, beside=told))
        figures.append(Figure(f"{name}, growth", _slope(half) * 2**20, "B/job", at_most=FLAT_BYTES))
    return figures


async def _run(stack: Stack, jobs: int) -> Looks:
    broker = Broker(stack.amqp_url, "bench", timeout_seconds=60)
    await broker.start()
    await broker.wait_connected()
    before, sent, looks = await done(stack), 0, [(0, _megabytes(stack))]
    async with httpx.AsyncClient(base_url=stack.url, timeout=60, trust_env=False) as client:
        while looks[-1][0] < jobs:
            if sent < jobs and sent - looks[-1][0] < AHEAD:
                await _submit(client)
                assert all(await broker.publish_all([_birth() for _ in range(AT_ONCE)]))
                sent += 2 * AT_ONCE
            await asyncio.sleep(LOOK_SECONDS)
            looks.append((await done(stack) - before, _megabytes(stack)))
    await broker.stop()
    return looks


async def _submit(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{JOBS}/bulk", content=json.dumps([ECHO] * AT_ONCE), headers=SAYS_JSON)
    assert answer.status_code == 200, answer.text[:300]


def _birth() -> Outgoing:
    said = Envelope("echo", {}, json.dumps(ECHO["payload"]).encode(), id=fresh_id())
    assert said.id is not None
    return birth_message(job_id=said.id, job_type="echo", priority=5, body=encode(said), trace=Trace.begin().headers())


def _megabytes(stack: Stack) -> dict[str, float]:
    """What each process has in memory."""
    pids = {name: stack.processes[name].pid for name in ("gateway", "recorder", "scheduler")}
    pids |= {f"worker {number}": pid for number, pid in enumerate(stack.worker_pids(), 1)}
    pages = {name: int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for name, pid in pids.items()}
    return {name: number * PAGE_BYTES / 2**20 for name, number in pages.items()}


def _slope(half: Sequence[tuple[int, float]]) -> float:
    """Megabytes a job, by the line that fits best."""
    return statistics.linear_regression([number for number, _ in half], [size for _, size in half]).slope


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument("--jobs", type=int, default=60_000)
    tell(measure(parser.parse_args().jobs))


if __name__ == "__main__":
    main()
