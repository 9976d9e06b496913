"""A job is ended from outside: what waits at once, what runs at its next await, and a thread that will not end."""

from __future__ import annotations

import asyncio
import statistics

from tests.eventually import eventually
from tests.journey.api import JOBS, Api, instant
from tests.journey.stack import Stack

SOONER_THAN_A_HEARTBEAT = 2.0  # one after the other, each that a heartbeat ends takes the three seconds between two


async def cancel(api: Api, job_id: str) -> int:
    return (await api.client.post(f"{JOBS}/{job_id}/cancel")).status_code


async def test_a_waiting_job_is_cancelled_here_and_now_and_never_runs(api: Api) -> None:
    job_id = await api.submit("echo", {"message": "too late"}, delay=4.0)  # it must not be due before it is cancelled

    assert 200 == await cancel(api, job_id)
    marker = await api.submit("echo", {"message": "after it"}, delay=4.5)
    await api.finished(marker)

    assert "cancelled" == (await api.job(job_id))["state"]
    assert [] == await api.attempts(job_id)


async def test_a_running_async_job_is_interrupted_at_its_next_await(api: Api) -> None:
    """
    Its worker is told at once: of five, one after the other, the middle one shows it on a busy machine too.
    """
    took = []
    for _ in range(5):
        job_id = await api.submit("endless")
        await eventually(lambda: api.is_running(job_id))  # noqa: B023 - called before the next turn
        asked = await cancel(api, job_id)
        job = await api.finished(job_id)
        took.append((instant(job["finished_at"]) - instant(job["cancel_requested_at"])).total_seconds())

        assert (202, "cancelled") == (asked, job["state"])
        assert ["cancelled"] == [attempt["outcome"] for attempt in await api.attempts(job_id)]

    assert statistics.median(took) < SOONER_THAN_A_HEARTBEAT


async def test_a_running_sync_job_is_asked(api: Api) -> None:
    """
    It cannot be interrupted; it looks at `cancelled()`, and the retry that would follow becomes a cancellation.
    """
    job_id = await api.submit("polite")
    await eventually(lambda: api.is_running(job_id))
    await cancel(api, job_id)

    assert "cancelled" == (await api.finished(job_id))["state"]


async def test_a_sync_job_that_does_not_end_is_a_timeout_and_its_process_is_replaced(api: Api, stack: Stack) -> None:
    """
    Its zombie must not run beside a retry, so the process goes; the others in it finish, and a new one comes.
    """
    before = set(stack.worker_pids())
    job_id = await api.submit("stubborn")
    job = await api.finished(job_id, within=60)

    assert ("failed", "timeout") == (job["state"], job["reason"])
    worker = int(job["worker"].rpartition(":")[2])
    await eventually(lambda: worker not in stack.worker_pids() and len(stack.worker_pids()) == len(before), within=60)
    assert "completed" == (await api.finished(await api.submit("echo")))["state"]
    await eventually(lambda: asyncio.to_thread(stack.consuming, 2), within=60)


async def test_a_cancelled_job_can_be_sent_again_by_hand(api: Api) -> None:
    job_id = await api.submit("echo", {"message": "again"}, delay=60)
    await cancel(api, job_id)

    assert 202 == (await api.client.post(f"{JOBS}/{job_id}/retry")).status_code
    job = await api.finished(job_id)

    assert ("completed", {"message": "again"}) == (job["state"], job["result"])
