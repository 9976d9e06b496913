"""What Prometheus is told by a Warren that works: every name that is promised, and each moves the way it should."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import pytest

from tests.eventually import eventually
from tests.journey.api import JOBS, Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Scraped, Stack
from wire.metrics.kinds import Role
from wire.metrics.table import TABLE

PROCESSES: Final[dict[Role, str]] = {
    "gateway": "gateway", "recorder": "recorder", "scheduler": "scheduler", "worker": "actors",
}  # fmt: skip


async def scraped(stack: Stack, role: Role) -> Scraped:
    return await asyncio.to_thread(stack.scrape, PROCESSES[role])


async def once(stack: Stack, role: Role, fact: Callable[[Scraped], bool]) -> Scraped:
    """The first scrape of which this is true; the workers' figures are up to a second old."""

    async def found() -> Scraped | None:
        told = await scraped(stack, role)
        return told if fact(told) else None

    told = await eventually(found)
    assert told is not None
    return told


@pytest.mark.parametrize("role", PROCESSES)
async def test_each_role_tells_what_the_table_promises_of_it(stack: Stack, role: Role) -> None:
    told = await scraped(stack, role)

    assert {metric.name: metric.kind for metric in TABLE if role in metric.roles} == told.families


@pytest.mark.parametrize("role", PROCESSES)
async def test_each_role_tells_of_its_process_and_its_stores(stack: Stack, role: Role) -> None:
    turned = "warren_loop_lag_seconds_count"  # twice a second
    told = await once(stack, role, lambda told: told["warren_broker_connected"] >= 1 and told[turned] > 0)

    assert told["process_cpu_seconds_total"] > 0
    assert told["process_resident_memory_bytes"] > 10_000_000
    assert told["warren_database_call_seconds_count"] > 0
    assert told['warren_database_pool_connections{use="limit"}'] >= 3
    assert 0 == told["warren_broker_blocked"]


async def test_a_job_is_counted_at_every_place_it_passes(api: Api, stack: Stack) -> None:
    """
    Exactly, by its type, which nobody else has; what has no type may be of others that came just before.
    """
    before = {role: await scraped(stack, role) for role in PROCESSES}
    for _ in range(3):
        await api.finished(await api.submit("counted"))
    ended, done = 'jobs_completed_total{type="counted",status="completed"}', 'warren_batch_size_sum{step="ack"}'
    ran = 'warren_attempts_total{type="counted",outcome="completed"}'
    worker = await once(
        stack,
        "worker",
        lambda told: told[ran] >= before["worker"][ran] + 3 and told[done] >= before["worker"][done] + 3,
    )
    await once(stack, "scheduler", lambda told: told[ended] >= before["scheduler"][ended] + 3)
    gateway = await scraped(stack, "gateway")

    def grown(role: Role, told: Scraped, series: str) -> float:
        return told[series] - before[role][series]

    assert 3 == grown("gateway", gateway, 'jobs_submitted_total{type="counted"}')
    posted = 'warren_http_requests_total{method="POST",route="/api/v1/jobs",status="202"}'
    assert 3 <= grown("gateway", gateway, posted)
    assert 3 <= grown("gateway", gateway, 'warren_http_request_seconds_count{route="/api/v1/jobs"}')
    assert 3 == grown("worker", worker, ran)
    assert 3 == grown("worker", worker, 'job_execution_seconds_count{type="counted"}')
    assert 3 == grown("worker", worker, 'job_execution_seconds_bucket{type="counted",le="+Inf"}')
    assert 3 <= grown("worker", worker, 'warren_job_wait_seconds_count{queue="default"}')
    assert 3 <= grown("worker", worker, 'warren_deliveries_total{answer="claimed"}')
    for step in ("claim", "record", "ack"):
        assert 3 <= grown("worker", worker, f'warren_batch_size_sum{{step="{step}"}}')
        assert 0 < grown("worker", worker, f'warren_batch_seconds_sum{{step="{step}"}}')


async def test_a_job_that_is_tried_again_and_fails_is_counted_as_that(api: Api, stack: Stack) -> None:
    before = await scraped(stack, "worker")
    await api.finished(await api.submit("random_failure", {"failure_rate": 1.0}, max_retries=1))
    failed = 'warren_failures_total{type="random_failure",reason="exhausted"}'
    told = await once(stack, "worker", lambda told: told[failed] > before[failed])

    for series in (
        'warren_attempts_total{type="random_failure",outcome="retry"}',
        'warren_attempts_total{type="random_failure",outcome="failed"}',
        'warren_retries_total{type="random_failure"}',
        failed,
    ):
        assert told[series] > before[series], series


async def test_workers_of_one_group_are_one_sum(stack: Stack) -> None:
    told = await once(stack, "worker", lambda told: told["warren_worker_processes_consuming"] == 2)

    assert 2 == told["warren_worker_processes"]
    assert 200 == told["warren_worker_slots"]
    assert told["warren_worker_prefetch"] >= 2


async def test_the_cluster_is_told_by_the_scheduler(api: Api, stack: Stack) -> None:
    await api.finished(await api.submit("echo"))
    done, ready = 'warren_jobs{type="echo",state="completed"}', 'warren_broker_messages_ready{queue="work.default"}'
    workers, consumers = "active_workers", 'warren_queue_consumers{queue="default"}'
    told = await once(
        stack, "scheduler", lambda told: told[workers] == told[consumers] == 2 and done in told and ready in told
    )  # who came or went just before is seen by the one look earlier than by the other

    assert 1 == told["warren_cluster_reporter"]
    assert 'queue_size{queue="default",priority="5"}' in told
    assert 'warren_queue_oldest_seconds{queue="default",priority="5"}' in told
    assert 'warren_broker_messages_ready{queue="births"}' in told
    assert 25 == len([series for series in told if series.startswith("warren_ladder_messages")])
    assert told["warren_slots"] == 200
    assert told[done] >= 1
    assert told["warren_database_sessions_limit"] > 0


async def test_a_delayed_job_is_seen_in_the_ladder(api: Api, stack: Stack) -> None:
    job_id = await api.submit("echo", delay=3600)
    scheduled = 'warren_jobs{type="echo",state="scheduled"}'
    await once(stack, "scheduler", lambda told: told["warren_delayed_messages"] >= 1 and told[scheduled] >= 1)
    await api.client.delete(f"{JOBS}/{job_id}")


async def test_a_dead_letter_is_counted_by_its_reason(rabbit: Rabbit, stack: Stack) -> None:
    before = await scraped(stack, "scheduler")
    await rabbit.publish("jobs.in", "job.echo.p5", b"not a job", message_id=str(uuid4()))
    kept, open_ = 'warren_dead_letters_total{reason="malformed"}', 'warren_dead_letters_open{reason="malformed"}'
    await once(stack, "scheduler", lambda told: told[kept] > before[kept] and told[open_] > before[open_])


async def test_a_job_that_ends_without_a_worker_is_counted_too(api: Api, stack: Stack) -> None:
    before = await scraped(stack, "scheduler")
    job_id = await api.submit("echo", delay=3600)
    await api.client.post(f"{JOBS}/{job_id}/cancel")
    ended = 'jobs_completed_total{type="echo",status="cancelled"}'
    await once(stack, "scheduler", lambda told: told[ended] > before[ended])


async def test_there_is_a_sign_of_life_beside_the_figures(stack: Stack) -> None:
    def ask(name: str, path: str) -> tuple[int, str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{stack.metrics_ports[name]}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()

    for name in PROCESSES.values():
        assert (200, "all is well\n") == await asyncio.to_thread(ask, name, "/health/live")
