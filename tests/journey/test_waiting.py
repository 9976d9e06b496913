"""A job that waits for its time waits in RabbitMQ's delay ladder: on time, never early, and in no worker."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

UNIT = timedelta(milliseconds=100)
SLACK = timedelta(seconds=9)  # on a busy machine; the rescue of what was lost takes ten


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1.7, 3.1])
async def test_a_delay_is_kept(api: Api, seconds: float) -> None:
    """
    By the database's clock: not before its time, and not later than a unit of the ladder after it.
    """
    job_id = await api.submit("echo", delay=seconds)
    accepted = await api.job(job_id)
    await api.finished(job_id)
    late = await _lateness(api, job_id)

    assert accepted["scheduled_for"] is not None
    assert timedelta(0) <= late <= UNIT + SLACK


async def test_a_time_is_kept(api: Api) -> None:
    job_id = await api.submit("echo", run_at=(datetime.now(UTC) + timedelta(seconds=4)).isoformat())
    state = (await api.job(job_id))["state"]
    await api.finished(job_id)

    assert "scheduled" == state
    assert timedelta(0) <= await _lateness(api, job_id) <= UNIT + SLACK


async def test_a_waiting_job_lies_in_the_ladder_and_not_in_a_worker(api: Api, rabbit: Rabbit) -> None:
    """
    An hour is 36,000 units; the highest bit of that is level 15.
    """
    before = await rabbit.ready("delay.15")  # others have their hours, too
    job_id = await api.submit("echo", delay=3600)
    await eventually(lambda: _holds(rabbit, "delay.15", before + 1))
    job = await api.job(job_id)

    assert ("scheduled", None, 0) == (job["state"], job["worker"], job["attempt"])


async def test_time_passes_while_no_worker_is_alive(api: Api, stack: Stack, rabbit: Rabbit) -> None:
    """
    What came due meanwhile is in the work queue when a worker comes back.
    """
    stopped = await asyncio.to_thread(stack.stop, "actors")
    before = await rabbit.ready("work.default")
    due_at_once = await api.submit("echo")
    due_soon = await api.submit("echo", delay=0.4)
    await eventually(lambda: _holds(rabbit, "work.default", before + 2))
    waiting = [(await api.job(job_id))["state"] for job_id in (due_at_once, due_soon)]
    stack.workers()
    jobs = await api.all_finished(due_at_once, due_soon, within=60)
    await eventually(lambda: asyncio.to_thread(stack.consuming, 2), within=60)

    assert (0, ["queued", "scheduled"]) == (stopped, waiting)
    assert ["completed", "completed"] == [job["state"] for job in jobs]
    assert await _lateness(api, due_soon) >= timedelta(0)


async def _lateness(api: Api, job_id: str) -> timedelta:
    rows = await api.sql("SELECT started_at - scheduled_for AS late FROM jobs WHERE id = $1", job_id)
    return timedelta(seconds=rows[0]["late"].total_seconds())


async def _holds(rabbit: Rabbit, queue: str, messages: int) -> bool:
    """At least so many: a copy that another file's test has left in the ladder may come meanwhile."""
    return messages <= await rabbit.ready(queue)
