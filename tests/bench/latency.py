"""How soon a job starts, and how soon its outcome can be read: `python -m tests.bench.latency [--jobs 400]`.

20 jobs a second, at moments that are drawn so that no timer of ours can keep step with them, each from a thread and
over a connection of its own that stands already.  The start is what the actor's own clock says.  The outcome is read by
a client that asks with `?wait=`, and by one that asks again and again; the disk's share is told beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import random
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.journey.api import FINAL, JOBS, sql
from tests.journey.stack import Stack

START_P50_MILLIS, START_P99_MILLIS, READABLE_P50_MILLIS = 4, 25, 12
PER_SECOND = 20
CLIENTS = 8
WARM_JOBS = 60
BODY = json.dumps({"type": "clock", "payload": {}}).encode()
HEADERS = {"Content-Type": "application/json"}
T = TypeVar("T")
Ask = Callable[[http.client.HTTPConnection], T]
BEGAN = "SELECT id, (result ->> 'began')::float8 AS began FROM warren.jobs WHERE id = ANY($1)"


class Clients:
    """Threads that have a connection each, and send at a pace that no slow answer changes."""

    def __init__(self, stack: Stack) -> None:
        self._port, self._own = stack.port, threading.local()
        self._random = random.Random(5)

    def paced(self, jobs: int, ask: Ask[T]) -> list[T]:
        """What each of so many gave."""
        with ThreadPoolExecutor(CLIENTS, initializer=self._connect) as pool:
            asked, due = [], time.monotonic()
            for _ in range(jobs):
                due += self._random.uniform(0, 2 / PER_SECOND)
                time.sleep(max(0.0, due - time.monotonic()))
                asked.append(pool.submit(lambda: ask(self._own.connection)))
            return [one.result() for one in asked]

    def _connect(self) -> None:
        self._own.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        self._own.connection.connect()


def submitted(connection: http.client.HTTPConnection) -> tuple[str, float, float]:
    """The job, when it was sent, and how long the answer took."""
    sent = time.time()
    job = _asked(connection, "POST", JOBS, BODY, HEADERS)
    return job["id"], sent, time.time() - sent


def waited_for(connection: http.client.HTTPConnection) -> float:
    """From the send to the answer that has the outcome."""
    job, sent, _ = submitted(connection)
    assert _asked(connection, "GET", f"{JOBS}/{job}?wait=20")["state"] == "completed"
    return time.time() - sent


def asked_for(connection: http.client.HTTPConnection) -> float:
    """The same for a client that asks again as soon as it is answered."""
    job, sent, _ = submitted(connection)
    while _asked(connection, "GET", f"{JOBS}/{job}")["state"] not in FINAL:
        pass
    return time.time() - sent


def starts(stack: Stack, sent: dict[str, float]) -> list[float]:
    """From the send of each job to its first instruction."""
    rows = asyncio.run(sql(stack.database_url, BEGAN, list(sent)))
    assert len(rows) == len(sent)
    return [row["began"] - sent[str(row["id"])] for row in rows]


def fsync_millis(folder: Path, times: int = 50) -> float:
    """What the disk takes to have 8 KiB for good: the middle of so many."""
    took, page = [], os.urandom(8_192)
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(page)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1_000


def measure(jobs: int = 400) -> list[Figure]:
    """So many that are only submitted, and half as many of each kind that is read."""
    with stage(workers=False) as stack:
        stack.workers(WARREN_ACTORS="tests.bench.clock_jobs")
        stack.wait_until(lambda: stack.consuming(2), "2 workers consume")
        clients = Clients(stack)
        clients.paced(WARM_JOBS, waited_for)
        disk = f"an fsync takes {fsync_millis(stack.folder):.2f} ms here"
        sent = clients.paced(jobs, submitted)
        waited, asked = clients.paced(jobs // 2, waited_for), clients.paced(jobs // 2, asked_for)
        began = starts(stack, {job: moment for job, moment, _ in sent})
    answered = [took for _, _, took in sent]
    return [
        Figure("submit → start, p50", _at(began, 0.5), "ms", at_most=START_P50_MILLIS, beside=disk),
        Figure("submit → start, p99", _at(began, 0.99), "ms", at_most=START_P99_MILLIS, beside=_tail(began)),
        Figure("submit → answer 202, p50", _at(answered, 0.5), "ms", beside=_tail(answered)),
        Figure("submit → outcome readable, ?wait=, p50", _at(waited, 0.5), "ms", None, READABLE_P50_MILLIS,
               _tail(waited)),
        Figure("submit → outcome readable, asked often, p50", _at(asked, 0.5), "ms", None, READABLE_P50_MILLIS,
               _tail(asked)),
    ]  # fmt: skip


def _asked(connection: http.client.HTTPConnection, method: str, path: str, *rest: object) -> dict[str, str]:
    connection.request(method, path, *rest)  # type: ignore[arg-type]
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status in (200, 202), said[:500]
    return dict(json.loads(said))


def _at(seconds: list[float], share: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1_000


def _tail(seconds: list[float]) -> str:
    return f"p95 {_at(seconds, 0.95):.1f}, p99 {_at(seconds, 0.99):.1f}, worst {_at(seconds, 1):.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.latency", description=__doc__)
    parser.add_argument("--jobs", type=int, default=400)
    tell(measure(parser.parse_args().jobs))


if __name__ == "__main__":
    main()
