"""What a million jobs in the table cost: `python -m tests.bench.million [--jobs 1000000] [--drained 20000] [--all]`.

A table that looks as after a day of work, read through the real gateway: one job, every list that the API offers (each
filter, all pairs of them, the first page and one from the midst of a million), the sums.  Then a backlog is worked off
beside those jobs, and again in an emptied table.  Postgres' own counters say whether anything has walked through all
jobs meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode, urlsplit

from gateway.entrance import cursor
from persistence.questions.pages import Place
from tests.bench import lifelike
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.bench.worked_off import work_off
from tests.journey.api import JOBS, sql
from tests.journey.stack import Stack

TIMES: Final = 20  # each list; its p95 is the slowest but one
ONES: Final = 400
FILTERS: Final[dict[str, Sequence[str]]] = {  # a common value first, then rare ones
    "state": ("completed", "failed", "running", "retrying", "pending", "dead_letter"),
    "type": (lifelike.COMMON_TYPE, lifelike.RARE_TYPE),
    "queue": (lifelike.COMMON_QUEUE, lifelike.RARE_QUEUE),
    "tag": (lifelike.COMMON_TAG, lifelike.RARE_TAG),
    "batch_id": (str(lifelike.BATCH),),
    "schedule_id": (str(lifelike.SCHEDULE),),
}
OTHERS: Final = ("stats", "queues", "workers", "dead-letters", "dead-letters?group=fingerprint", "batches")
ROLES: Final = (("recorder", "persistence"), ("scheduler", "scheduler"), ("gateway", "gateway"))
SEEN: Final = """
SELECT pg_stat_force_next_flush(), (SELECT sum(seq_scan)::int FROM pg_stat_user_tables
                                     WHERE relname IN ('jobs', 'attempts')) AS walks
"""
SOME: Final = f"SELECT id FROM jobs WHERE id >= $1 ORDER BY id LIMIT {ONES}"
MIDST: Final = "SELECT created_at, id FROM jobs WHERE created_at < $1 ORDER BY created_at DESC, id DESC LIMIT 1"
NEWEST: Final = "SELECT max(created_at) AS at FROM jobs"


def measure(jobs: int = 1_000_000, drained: int = 20_000, rounds: int = 2, *, every: bool = False) -> list[Figure]:
    """All of it, on one set of servers; `every`: each list's figure, not only the slowest."""
    with stage(workers=False) as stack:
        _furnish(stack, jobs)
        walks = _walks(stack)
        figures = [_ones(stack), *_lists(stack, every=every)]
        full = [work_off(stack, drained) for _ in range(rounds)]
        figures.append(Figure("walks through jobs or attempts", _walks(stack) - walks, "", at_most=0))
        asyncio.run(sql(stack.database_url, "TRUNCATE jobs, attempts"))
        empty = [work_off(stack, drained) for _ in range(rounds)]
    rate, bare = (statistics.median(one.per_second for one in some) for some in (full, empty))
    cost, least = (statistics.median(one.micros["postgres"] for one in some) for some in (full, empty))
    share = f"{rate:,.0f}/s against {bare:,.0f}/s in an empty table"
    return [
        *figures,
        Figure(f"drain beside {jobs:,} jobs", 100 * rate / bare, "%", at_least=80, beside=share),
        Figure("Postgres a job, beside them", cost, "µs", beside=f"{least:.0f} µs in an empty table"),
    ]


def _furnish(stack: Stack, jobs: int) -> None:
    """Fill the table while nobody looks."""
    for name, _ in ROLES:
        stack.stop(name)
    asyncio.run(lifelike.fill(stack.database_url, jobs))
    for name, command in ROLES:
        stack.start(name, command)
    stack.wait_until(stack.ready, "the gateway is ready")


def _ones(stack: Stack) -> Figure:
    """Single jobs, from all over the table."""
    (first,) = asyncio.run(sql(stack.database_url, "SELECT id FROM jobs ORDER BY id LIMIT 1"))
    rows = asyncio.run(sql(stack.database_url, SOME, first["id"]))
    took = _took(stack, [f"{JOBS}/{row['id']}" for row in rows])
    return Figure("one job, p95", _p95(took), "ms", at_most=10, beside=f"p50 {statistics.median(took):.1f} ms")


def _lists(stack: Stack, *, every: bool) -> list[Figure]:
    """The p95 of each list, of which the worst is told."""
    (newest,) = asyncio.run(sql(stack.database_url, NEWEST))
    (midst,) = asyncio.run(sql(stack.database_url, MIDST, newest["at"] - timedelta(hours=11)))
    since = (newest["at"] - timedelta(hours=12)).isoformat()
    deep = cursor.write(Place(midst["created_at"], midst["id"]))
    lists = {path: _p95(_took(stack, [path] * TIMES)) for path in _paths(since, deep)}
    others = {path: _p95(_took(stack, [f"/api/v1/{path}"] * TIMES)) for path in OTHERS}
    worst = max(lists, key=lists.__getitem__)
    middle = f"of {len(lists)} lists, their median {statistics.median(lists.values()):.1f} ms: {worst}"
    told = [Figure("slowest page of jobs, p95", lists[worst], "ms", at_most=50, beside=middle)]
    told += [Figure(f"/{path}, p95", took, "ms", at_most=50) for path, took in others.items()]
    if every:
        slowest_first = sorted(lists.items(), key=lambda one: -one[1])
        told += [Figure(path.removeprefix("/api/v1"), took, "ms", at_most=50) for path, took in slowest_first]
    return told


def _paths(since: str, deep: str) -> Iterator[str]:
    """No filter, each alone, and each two together: the newest page, and one from the midst."""
    known = FILTERS | {"since": (since,)}
    one = [{name: value} for name, values in known.items() for value in values]
    two = [a | b for a, b in itertools.combinations(one, 2) if a.keys() != b.keys()]
    for said in [{}, *one, *two]:
        yield f"{JOBS}?{urlencode(said)}"
        yield f"{JOBS}?{urlencode(said | {'cursor': deep})}"


def _took(stack: Stack, paths: Sequence[str]) -> list[float]:
    """The milliseconds of each, one after the other over one connection."""
    connection = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=30)
    took = []
    for path in paths:
        started = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, (path, body[:500])
    connection.close()
    return took


def _p95(took: Sequence[float]) -> float:
    return sorted(took)[math.ceil(len(took) * 0.95) - 1]


def _walks(stack: Stack) -> int:
    """How often all of a large table was read; whoever read it has said so by the time it is idle."""
    (row,) = asyncio.run(sql(stack.database_url, SEEN))
    return int(row["walks"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.million", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--drained", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="tell each list's figure")
    given = parser.parse_args()
    tell(measure(given.jobs, given.drained, given.rounds, every=given.all))


if __name__ == "__main__":
    main()
