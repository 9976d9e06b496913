"""A worker that is frozen for longer than a lease, and wakes: its jobs have gone to another, and it learns that.

Nothing of it ends, neither its process nor its connections, so only its silence tells.  The short form has a lease
as short as it may be on a machine that stands still for moments; the long one has the default and three minutes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ
from tests.eventually import eventually
from tests.faults.conftest import stack_apart
from tests.faults.witness import Witness
from tests.journey.api import Api
from tests.journey.stack import Stack

HASTY = {
    "WARREN_LEASE_SECONDS": "4",
    "WARREN_HEARTBEAT_SECONDS": "0.3",
    "WARREN_REAP_SECONDS": "0.3",
    # the two that it holds fill the frozen one's window, or RabbitMQ would send it every second message for 45 s more
    "WARREN_PREFETCH": "2",
}
SECONDS_FROZEN = 180.0
Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def stack(
    postgres: Postgres, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory, long: bool
) -> Iterator[Stack]:
    with stack_apart(postgres, rabbitmq, tmp_path_factory.mktemp("frozen"), **({} if long else HASTY)) as one:
        yield one


async def test_a_frozen_worker_wakes_to_find_its_jobs_gone(
    api: Api, stack: Stack, tmp_path: Path, tell: Tell, long: bool
) -> None:
    """
    What it ends too late, or is told to stop before it can, is kept as superseded; what it still runs it stops; each
    job has one outcome.
    """
    witness, door = Witness(stack.timeline), tmp_path / "door"
    held = await api.submit("hold", {"opens": str(door)})
    await eventually(lambda: held in witness.look().starts())
    frozen = witness.events[0].pid
    late = await _started_in(frozen, api, witness)
    began = time.monotonic()
    with _stopped(frozen):
        taken = [await _taken_over(api, job_id) - began for job_id in (held, late)]
        await asyncio.sleep(max(0.0, SECONDS_FROZEN - time.monotonic() + began) if long else 0.0)  # the fault itself
    await eventually(lambda: (held, "interrupted") in _did(witness, frozen), within=60)
    door.touch()
    jobs = await api.all_finished(held, late, within=60)
    outcomes = [await _outcomes(api, job_id) for job_id in (held, late)]
    tell(f"worker frozen for {time.monotonic() - began:.0f} s: another had its jobs after {max(taken):.1f} s")

    assert ["completed", "completed"] == [job["state"] for job in jobs]
    assert ["superseded", "superseded"] == [one[0] for one in outcomes]
    assert [["completed"], ["completed"]] == [sorted(set(one[1:]) - {"snoozed"}) for one in outcomes]
    assert [1, 1] == [one.count("completed") for one in outcomes]


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _started_in(pid: int, api: Api, witness: Witness) -> str:
    """A job that this process has begun, and that is over when it wakes."""
    while True:
        job_id = await api.submit("step", {"seconds": 3.0})
        await eventually(lambda: job_id in witness.look().starts())  # noqa: B023 - called in this turn
        if job_id in witness.begun_by(pid):
            return job_id


async def _taken_over(api: Api, job_id: str) -> float:
    """When it first had a second lease, on this process's clock."""
    await eventually(lambda: _is_leased_again(api, job_id), within=120)
    return time.monotonic()


async def _is_leased_again(api: Api, job_id: str) -> bool:
    return bool(await api.sql("SELECT FROM jobs WHERE id = $1 AND lease > 1", job_id))


def _did(witness: Witness, pid: int) -> set[tuple[str, str]]:
    return {(event.job_id, event.what) for event in witness.look().events if event.pid == pid}


async def _outcomes(api: Api, job_id: str) -> list[str]:
    """Of each lease in order, once the first of them has said its last word."""
    await eventually(lambda: _first_is_not_crashed(api, job_id))
    return [attempt["outcome"] for attempt in await api.attempts(job_id)]


async def _first_is_not_crashed(api: Api, job_id: str) -> bool:
    return (await api.attempts(job_id))[0]["outcome"] != "crashed"
