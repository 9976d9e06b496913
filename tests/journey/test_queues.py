"""Several queues, priorities within one, and a window that follows the speed of the jobs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from persistence.declared.job_types import JobType, register
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack, running_stack

WORK = "work.default"
NEEDED = 5  # by four slots with jobs of 0.3 s, of which 80 ms lie ahead


@pytest.fixture(scope="module")
def stack(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """No workers yet; each test starts those it wants."""
    folder = tmp_path_factory.mktemp("stack")
    with running_stack(places.amqp_url, places.database_url, folder, workers=0, WARREN_PREFETCH="0") as one:
        yield one


@pytest.fixture(scope="module")
def rabbit(places: Places) -> Rabbit:
    return Rabbit(places.amqp_url, places.management_url, places.vhost)


async def test_a_job_accepted_before_its_queue_exists_completes(api: Api, stack: Stack) -> None:
    """
    The type is known from before; the broker is fresh, as after the loss of its disk.
    """
    await _register_echo(stack.database_url)
    job_id = await api.submit("echo", {"message": "early"})
    await eventually(lambda: _was_sent_again(api, job_id))
    state = (await api.job(job_id))["state"]
    stack.workers(processes=1)
    job = await api.finished(job_id, within=60)
    await asyncio.to_thread(stack.stop, "actors")

    assert ("queued", "completed") == (state, job["state"])


async def test_a_worker_for_one_queue_leaves_the_others_alone(api: Api, stack: Stack, rabbit: Rabbit) -> None:
    stack.workers("letters", "--queues", "letters", processes=1)
    echo = await api.submit("echo")
    told = await api.finished(await api.submit("tell"), within=60)
    waiting, ready = await api.job(echo), await rabbit.ready(WORK)
    stack.workers("default", "--queues", "default", processes=1)
    done = await api.finished(echo, within=60)
    for name in ("letters", "default"):
        await asyncio.to_thread(stack.stop, name)

    assert ("letters", "queued", 1) == (told["result"]["queue"], waiting["state"], ready)
    assert ("completed", "default") == (done["state"], done["queue"])


async def test_a_foreign_expiration_does_not_cost_the_job(api: Api, stack: Stack, rabbit: Rabbit) -> None:
    """
    It expires in its queue, for there is no worker; its row is open, so it gets a message without an expiration.
    """
    stack.workers("default", "--queues", "default", processes=1)
    await eventually(lambda: asyncio.to_thread(stack.consuming, 1), within=60)  # its type is known and its queue stands
    await asyncio.to_thread(stack.stop, "default")
    job_id = str(uuid.uuid4())
    said = {"type": "nap", "message_id": job_id, "content_type": "application/json", "priority": 5}
    await rabbit.publish("jobs.in", "job.nap.p5", b'{"type":"nap","payload":{}}', expiration="50", **said)
    await eventually(lambda: _was_sent_again(api, job_id))
    stack.workers("default", "--queues", "default", processes=1)
    job = await api.finished(job_id, within=60)
    await asyncio.to_thread(stack.stop, "default")

    assert ("completed", 1) == (job["state"], job["result"]["starts"])


async def test_with_a_backlog_the_more_important_job_overtakes(
    api: Api, stack: Stack, rabbit: Rabbit, tmp_path: Path
) -> None:
    """
    It waits for the job that runs and for the few that the worker has taken to stay busy, not for the backlog.  The
    first one runs until it is there, however long that takes the gateway.
    """
    door = tmp_path / "door"
    low = await rabbit.preload("hold", {"opens": str(door)}, 30, priority=1)
    stack.workers("one", "--concurrency", "1", "--queues", "default", processes=1)
    await eventually(lambda: _has_started(api, low), within=60)
    high = await api.submit("nap", {"seconds": 0.0}, priority=9)
    await eventually(lambda: _is_published(api, high))
    await asyncio.to_thread(door.touch)
    await api.finished(high)
    await eventually(lambda: _all_done(api, 30), within=60)
    rows = await api.sql(
        "SELECT count(*) AS before FROM jobs l, jobs h"
        " WHERE h.id = $1 AND l.id = ANY($2) AND l.started_at BETWEEN h.created_at AND h.started_at",
        high,
        list(low),
    )
    await asyncio.to_thread(stack.stop, "one")

    assert rows[0]["before"] <= 4


async def test_the_window_grows_with_fast_jobs_and_shrinks_with_slow_ones(
    api: Api, stack: Stack, rabbit: Rabbit
) -> None:
    """
    What is buffered beyond the smaller window goes back to the queue, where others can take it; each job runs once.
    """
    await rabbit.preload("echo", {}, 4_000)
    slow = await rabbit.preload("nap", {"seconds": 0.3}, 40, priority=1)
    stack.workers("four", "--concurrency", "4", "--queues", "default", processes=1)
    grown = await eventually(lambda: _window(rabbit, at_least=8), within=60)
    await eventually(lambda: _has_started(api, slow), within=60)
    small = max(grown // 2, NEEDED)  # it may have been seen on its way up
    shrunk = await eventually(lambda: _window(rabbit, at_most=small), within=60)
    await eventually(lambda: _all_done(api, 4_040), within=60)
    await asyncio.to_thread(stack.stop, "four")
    starts = [line for line in stack.witness.read_text().splitlines() if line.split()[0] in slow and "start" in line]

    assert 4 <= shrunk <= small < grown
    assert 40 == len(starts) == len(set(starts))


async def test_a_backlog_drains(api: Api, stack: Stack, rabbit: Rabbit) -> None:
    """
    A smoke with a printed figure; what is promised of the speed is measured elsewhere, on a quiet machine.
    """
    ids = await rabbit.preload("echo", {"message": "one of many"}, 5_000)
    stack.workers("two", "--queues", "default", processes=2)
    await eventually(lambda: _are_done(api, ids), within=60)
    (row,) = await api.sql("SELECT max(finished_at) - min(started_at) AS took FROM jobs WHERE id = ANY($1)", ids)
    await asyncio.to_thread(stack.stop, "two")

    print(f"{len(ids)} jobs in {row['took'].total_seconds():.2f} s: {len(ids) / row['took'].total_seconds():,.0f}/s")


async def _are_done(api: Api, ids: list[str]) -> bool:
    rows = await api.sql("SELECT count(*) AS done FROM jobs WHERE id = ANY($1) AND state = 'completed'", ids)
    return bool(rows[0]["done"] == len(ids))


async def _register_echo(database_url: str) -> None:
    """As a worker once did."""
    database = Database(database_url, "test", connections=1, timeout_seconds=5)
    await register(database, [JobType("echo", "default", "", '{"type": "object"}', 5, 3, 30.0, 2.0, 300.0)])
    await database.stop()


async def _was_sent_again(api: Api, job_id: str) -> bool:
    return any(row["again"] for row in await api.sql("SELECT run > 1 AS again FROM jobs WHERE id = $1", job_id))


async def _is_published(api: Api, job_id: str) -> bool:
    """Whether RabbitMQ has confirmed it."""
    return not await api.sql("SELECT 1 FROM outbox WHERE job_id = $1", job_id)


async def _has_started(api: Api, ids: list[str]) -> bool:
    return bool(await api.sql("SELECT 1 FROM jobs WHERE id = ANY($1) AND started_at IS NOT NULL LIMIT 1", ids))


async def _all_done(api: Api, jobs: int) -> bool:
    rows = await api.sql("SELECT count(*) AS all, count(*) FILTER (WHERE state = 'completed') AS done FROM jobs")
    return bool(rows[0]["done"] == rows[0]["all"] >= jobs)


async def _window(rabbit: Rabbit, at_least: int = 0, at_most: int = 1_000) -> int:
    """The prefetch of the one consumer, once it is in this range."""
    found = await rabbit.prefetches(WORK)
    return found[0] if len(found) == 1 and at_least <= found[0] <= at_most else 0
