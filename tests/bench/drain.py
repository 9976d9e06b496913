"""How fast a backlog drains: `python -m tests.bench.drain [--jobs 20000] [--profile FILE]`.

Servers of its own, two worker processes, no-op jobs whose rows stand and whose messages wait in their queue; the rate
is from the first start to the last recorded outcome, as Postgres saw them.  A budget that is printed, not a gate.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from deploy import postgres, rabbitmq
from persistence import outbox
from persistence.accept import insert
from persistence.database import Database
from persistence.job_types import JobType, known
from persistence.migrations import upgrade
from persistence.submission import Submission, fill
from tests.journey.api import sql
from tests.journey.stack import Stack, running_stack
from wire import envelope
from wire.amqp import Broker
from wire.envelope import Envelope
from wire.identity import fresh_id
from wire.tracing import Trace

BUDGET_PER_SECOND = 6_000  # on two cores with nothing else on them
CHUNK = 1_000
DRAINED = """
SELECT count(*) FILTER (WHERE state = 'completed') AS done,
       extract(epoch FROM max(finished_at) - min(started_at)) AS took
  FROM warren.jobs
"""


async def preload(stack: Stack, jobs: int) -> None:
    """Accept so many echoes and publish them, as the gateway does."""
    database = Database(stack.database_url, "bench", connections=2, timeout_seconds=60)
    broker = Broker(stack.amqp_url, "bench", timeout_seconds=60)
    await broker.start()
    await broker.wait_connected()
    echo = next(job_type for job_type in await known(database, 15) if job_type.name == "echo")
    for _ in range(0, jobs, CHUNK):
        async with database.transaction() as transaction:
            posts = await insert(transaction, [submission(echo) for _ in range(CHUNK)])
        await outbox.publish(database, broker, posts)
    await broker.stop()
    await database.stop()


def submission(echo: JobType) -> Submission:
    said = Envelope("echo", {}, b'{"message":"hello"}', id=fresh_id())
    return fill(said, echo, envelope.encode(said), Trace.begin(), datetime.now(UTC))


def drain(stack: Stack, jobs: int, profile: Path | None) -> tuple[float, float]:
    """Jobs a second, and the seconds it took."""
    stack.workers()
    watcher = None
    while True:
        (row,) = asyncio.run(sql(stack.database_url, DRAINED))
        if row["done"] and profile and not watcher:
            pid = stack.worker_pids()[0]
            command = ["py-spy", "record", "-p", str(pid), "-d", "60", "-r", "200", "-f", "raw", "-o", str(profile)]
            watcher = subprocess.Popen(command)
        if row["done"] >= jobs:
            break
        time.sleep(0.1)
    stack.stop("actors")
    if watcher:
        watcher.wait()
    return jobs / float(row["took"]), float(row["took"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.drain", description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--profile", type=Path, help="write py-spy's stacks of one worker to this file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="warren-bench-") as folder:
        home = Path(folder)
        broker = rabbitmq.RabbitMQ(home / "rabbitmq", rabbitmq.find()[0])
        database = postgres.Postgres(home / "postgres", postgres.find()[0])
        broker.start()
        database.start()
        try:
            upgrade(database.dsn)
            (home / "stack").mkdir()
            with running_stack(broker.url, database.dsn, home / "stack", workers=1) as stack:
                stack.stop("actors")
                asyncio.run(preload(stack, given.jobs))
                rate, took = drain(stack, given.jobs, given.profile)
        finally:
            database.stop()
            broker.stop()
    print(f"{given.jobs} jobs in {took:.2f} s: {rate:,.0f}/s (budget {BUDGET_PER_SECOND:,}/s)")


if __name__ == "__main__":
    main()
