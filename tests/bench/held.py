"""How long a large request holds up the small ones beside it: `python -m tests.bench.held [--requests 8]`.

A batch of ten thousand jobs is sent again and again, and beside it a client on another connection asks the gateway
whether it lives, which needs nothing but its loop.  The longest of these answers in each request is how long the loop
was held; the figure is the middle one of all requests.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import threading
import time
from pathlib import Path

from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.journey.stack import Stack

AT_MOST_MILLIS = 50
JOBS = 10_000
PAUSE_SECONDS = 0.002
ECHO = {"type": "echo", "payload": {"message": "a message of usual length, such as this"}}
HEADERS = {"Content-Type": "application/json"}
KINDS = {"/api/v1/batches": {"jobs": [ECHO] * JOBS}, "/api/v1/jobs/bulk": [ECHO] * JOBS}


def answers_beside(stack: Stack, path: str) -> list[float]:
    """The seconds of each small answer while one large request was under way."""
    body, over, took = json.dumps(KINDS[path]).encode(), threading.Event(), list[float]()
    asking = threading.Thread(target=_ask, args=(stack, over, took))
    asking.start()
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
    connection.request("POST", path, body, HEADERS)
    answer = connection.getresponse()
    said = answer.read()
    over.set()
    asking.join()
    assert answer.status in (200, 202), said[:500]
    return took


def _ask(stack: Stack, over: threading.Event, took: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
    while not over.is_set():
        began = time.perf_counter()
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
        time.sleep(PAUSE_SECONDS)


def longest_waits(requests: int = 8, profile: Path | None = None) -> list[Figure]:
    """A batch and a bulk, each as often."""
    figures = []
    with stage(workers=False) as stack:
        watcher = _watch(stack, profile) if profile else None
        for path in KINDS:
            longest = [max(answers_beside(stack, path)) * 1_000 for _ in range(requests)]
            name = f"{JOBS:,} jobs to {path.rpartition('/')[2]}: others wait at most"
            told = f"each: {', '.join(f'{one:.0f}' for one in longest)}"
            figures.append(Figure(name, statistics.median(longest), "ms", at_most=AT_MOST_MILLIS, beside=told))
        if watcher:
            watcher.wait()
    return figures


def _watch(stack: Stack, profile: Path) -> subprocess.Popen[bytes]:
    pid = str(stack.processes["gateway"].pid)
    return subprocess.Popen(["py-spy", "record", "-p", pid, "-d", "10", "-r", "200", "-f", "raw", "-o", str(profile)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.held", description=__doc__)
    parser.add_argument("--requests", type=int, default=8)
    parser.add_argument("--profile", type=Path, help="write py-spy's stacks of the gateway to this file")
    given = parser.parse_args()
    tell(longest_waits(given.requests, given.profile))


if __name__ == "__main__":
    main()
