"""What a batch costs: `python -m tests.bench.batches [--jobs 10000] [--rounds 2] [--children 100000]`.

Servers of its own, one gateway, two worker processes, no-op jobs.  By turns, jobs without a batch and the children of
one are accepted in bulk and then drained, so that both meet the same machine; the ratio of the rates is what a batch
costs.  With --children so many are accepted into one open batch, drained, and the callback is waited for.  A budget
that is printed, not a gate.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from tests.bench.stage import stage
from tests.eventually import eventually
from tests.journey.api import sql
from tests.journey.stack import Stack

BUDGET = 0.9  # of the rate without a batch
REQUEST = 10_000
BATCHES = "/api/v1/batches"
ECHO = {"type": "echo", "payload": {"message": "hello"}}
DRAINED = """
SELECT count(*) FILTER (WHERE state = 'completed') AS done,
       extract(epoch FROM max(finished_at) - min(started_at)) AS took, max(finished_at) AS last
  FROM warren.jobs WHERE created_at >= $1 AND created_at < $2
"""


@dataclass(frozen=True, slots=True)
class Rates:
    """Jobs a second."""

    accepted: float
    drained: float


class Bench:
    """One Warren whose workers run only while something is drained."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient) -> None:
        self._stack, self._client = stack, client

    async def once(self, jobs: int, *, batch: bool) -> Rates:
        """Accept and drain so many."""
        born, accepted, path = await self.accept(jobs, batch=batch)
        rate, _ = await self.drain(jobs, born)
        if path:
            await self.ended(path)
        return Rates(accepted, rate)

    async def accept(self, jobs: int, *, batch: bool) -> tuple[datetime, float, str]:
        """From when they are, the jobs a second, and the batch's path."""
        born, path = (await self._sql("SELECT clock_timestamp() AS now"))[0]["now"], ""
        if batch:
            made = await self._post(BATCHES, {"open": True, "on_complete": ECHO})
            path = made["links"]["self"]
        started = time.perf_counter()
        for first in range(0, jobs, REQUEST):
            some = [ECHO] * min(REQUEST, jobs - first)
            await self._post(f"{path}/jobs" if batch else "/api/v1/jobs/bulk", some)
        took = time.perf_counter() - started
        if batch:
            await self._post(f"{path}/close", None)
        await eventually(self._all_are_published, within=300)
        return born, jobs / took, path

    async def drain(self, jobs: int, born: datetime) -> tuple[float, datetime]:
        """The jobs a second, and when the last one ended."""
        until = (await self._sql("SELECT clock_timestamp() AS now"))[0]["now"]
        self._stack.workers()
        row = (await self._sql(DRAINED, born, until))[0]
        while row["done"] < jobs:
            await asyncio.sleep(0.2)
            row = (await self._sql(DRAINED, born, until))[0]
        await asyncio.to_thread(self._stack.stop, "actors")
        return jobs / float(row["took"]), row["last"]

    async def ended(self, path: str) -> dict[str, Any]:
        """The batch, once its callback is written."""

        async def ended() -> dict[str, Any] | None:
            batch = (await self._client.get(path)).json()
            return batch if batch["finished_at"] else None

        return await eventually(ended, within=60) or {}

    async def deltas(self) -> tuple[int, int]:
        """Rows that are not folded, and the table's bytes with its index."""
        row = (
            await self._sql(
                "SELECT (SELECT count(*) FROM warren.batch_deltas) AS rows, "
                "pg_total_relation_size('warren.batch_deltas') AS bytes"
            )
        )[0]
        return row["rows"], row["bytes"]

    async def _all_are_published(self) -> bool:
        return not await self._sql("SELECT 1 FROM warren.outbox LIMIT 1")

    async def _post(self, path: str, body: object) -> dict[str, Any]:
        response = await self._client.post(path, json=body)
        assert response.status_code in (200, 202), response.text[:500]
        return dict(response.json())

    async def _sql(self, statement: str, *arguments: object) -> list[Any]:
        return await sql(self._stack.database_url, statement, *arguments)


async def measure(stack: Stack, jobs: int, rounds: int, children: int) -> None:
    async with httpx.AsyncClient(base_url=stack.url, timeout=300, trust_env=False) as client:
        bench, found = Bench(stack, client), list[tuple[Rates, Rates]]()
        for number in range(rounds):
            first = number % 2 == 1  # whoever comes first meets colder servers
            one, other = await bench.once(jobs, batch=first), await bench.once(jobs, batch=not first)
            plain, batch = (other, one) if first else (one, other)
            found.append((plain, batch))
            print(f"without a batch {_told(plain)}; with one {_told(batch)}", flush=True)
        if found:
            accepted = statistics.median(batch.accepted / plain.accepted for plain, batch in found)
            drained = statistics.median(batch.drained / plain.drained for plain, batch in found)
            print(f"ratio: accepted {accepted:.2f}, drained {drained:.2f} (budget {BUDGET})")
        if children:
            await _many(bench, children)


async def _many(bench: Bench, children: int) -> None:
    born, accepted, path = await bench.accept(children, batch=True)
    drained, last = await bench.drain(children, born)
    batch = await bench.ended(path)
    late = (datetime.fromisoformat(batch["finished_at"]) - last).total_seconds()
    rows, size = await bench.deltas()
    print(
        f"{children:,} children: accepted in {children / accepted:.1f} s ({accepted:,.0f}/s), drained {drained:,.0f}/s"
    )
    print(f"noticed {late * 1000:.0f} ms after the last; {rows} deltas left in {size / 1024:.0f} KiB")


def _told(rates: Rates) -> str:
    return f"{rates.accepted:,.0f}/s accepted, {rates.drained:,.0f}/s drained"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.batches", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--children", type=int, default=0)
    given = parser.parse_args()
    with stage(workers=False) as stack:
        asyncio.run(measure(stack, given.jobs, given.rounds, given.children))


if __name__ == "__main__":
    main()
