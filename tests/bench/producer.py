"""How fast jobs go all the way: `python -m tests.bench.producer [--jobs 30000] [--request 1000]`.

One client sends echoes in bulk over HTTP, one request after the other over one connection; two worker processes run
them meanwhile.  The rate is from the first request to the last recorded outcome, as the one clock of this machine has
it.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import time

from tests.bench.computed import computed, micros_a_job
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.journey.api import JOBS, sql
from tests.journey.stack import Stack

AT_LEAST_PER_SECOND = 3_000
WARM_JOBS = 2_000
ECHO = {"type": "echo", "payload": {"message": "x" * 160}}  # 200 bytes on the wire
HEADERS = {"Content-Type": "application/json"}
LOOK_SECONDS = 0.25  # a look counts all rows
DONE = """
SELECT count(*) AS done, extract(epoch FROM max(finished_at))::float8 AS last FROM warren.jobs WHERE state = 'completed'
"""


def produce(stack: Stack, jobs: int, request: int) -> tuple[float, float]:
    """When the first request was sent and when the last one was answered."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
    began = time.time()
    for first in range(0, jobs, request):
        body = json.dumps([ECHO] * min(request, jobs - first)).encode()
        connection.request("POST", f"{JOBS}/bulk", body, HEADERS)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said[:500]
    connection.close()
    return began, time.time()


def last_end(stack: Stack, jobs: int) -> float:
    """When the last of so many was recorded."""
    while True:
        (row,) = asyncio.run(sql(stack.database_url, DONE))
        if row["done"] >= jobs:
            return float(row["last"])
        time.sleep(LOOK_SECONDS)


def measure(jobs: int = 30_000, request: int = 1_000) -> list[Figure]:
    """One producer, two workers."""
    with stage() as stack:
        produce(stack, WARM_JOBS, request)
        last_end(stack, WARM_JOBS)
        before = computed(stack)
        began, answered = produce(stack, jobs, request)
        ended = last_end(stack, WARM_JOBS + jobs)
        micros = micros_a_job(before, computed(stack), jobs)
    costs = ", ".join(f"{role} {cost:.0f}" for role, cost in micros.items())
    rate, accepted = jobs / (ended - began), jobs / (answered - began)
    return [
        Figure("end to end, one bulk producer", rate, "jobs/s", at_least=AT_LEAST_PER_SECOND, beside=f"µs: {costs}"),
        Figure("accepted meanwhile", accepted, "jobs/s", beside=f"requests of {request:,}"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.producer", description=__doc__)
    parser.add_argument("--jobs", type=int, default=30_000)
    parser.add_argument("--request", type=int, default=1_000, help="jobs a request")
    given = parser.parse_args()
    tell(measure(given.jobs, given.request))


if __name__ == "__main__":
    main()
