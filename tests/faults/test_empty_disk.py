"""RabbitMQ comes back with an empty disk, as after a lost volume: every job is done once, and nobody is restarted.

The short form's servers are the fault tests' own; ports and credentials stay the same.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Sequence

from deploy.servers.rabbitmq import RabbitMQ
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

WORK = "work.default"


async def test_every_job_survives_the_brokers_disk(
    api: Api, stack: Stack, rabbit: Rabbit, rabbitmq: RabbitMQ, long: bool, tell: Callable[[str], None]
) -> None:
    """
    Queued, running, delayed and waiting for a retry: all their messages are gone with the disk.
    """
    pids = stack.worker_pids()
    running = await rabbit.preload("nap", {"seconds": 5.0}, 60)
    await eventually(lambda: _count(api, "started_at IS NOT NULL", running, 60), within=60)
    queued = await rabbit.preload("nap", {"seconds": 0.01}, 10_000 if long else 500)
    delayed = [await api.submit("nap", delay=15.0) for _ in range(1_000 if long else 30)]
    retrying = [await api.submit("flaky", {"times": 1}, priority=10) for _ in range(5)]
    await eventually(lambda: _count(api, "true", queued, len(queued)), within=60)
    await asyncio.to_thread(_lose_the_disk, rabbitmq)
    everything = [*running, *queued, *delayed, *retrying]
    began = asyncio.get_running_loop().time()
    await eventually(
        lambda: _count(api, "state = 'completed'", everything, len(everything)), within=300 if long else 180
    )
    took = asyncio.get_running_loop().time() - began
    starts = Counter(line.split()[0] for line in stack.witness.read_text().splitlines() if line.endswith(" started"))

    tell(f"{len(everything)} jobs done {took:.1f} s after RabbitMQ was back; {len(queued)} of them had been queued")
    assert {1} == {starts[job_id] for job_id in [*running, *queued, *delayed]}
    assert pids == stack.worker_pids()
    assert ["broker_lost_its_disk"] == [line["event"] for line in stack.logged("scheduler", "broker_lost_its_disk")]


def _lose_the_disk(rabbitmq: RabbitMQ) -> None:
    rabbitmq.kill()
    shutil.rmtree(rabbitmq.folder / "data")
    rabbitmq.start()


async def _count(api: Api, condition: str, ids: Sequence[str], expected: int) -> bool:
    rows = await api.sql(f"SELECT count(*) AS n FROM jobs WHERE id = ANY($1) AND {condition}", ids)
    return bool(rows[0]["n"] == expected)
