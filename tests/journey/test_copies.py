"""A message that comes more than once: its job runs once, by the witness that the job itself writes."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

WORK = "work.default"
BODY = json.dumps({"type": "nap", "payload": {"seconds": 0.3}}).encode()


async def test_three_copies_of_a_foreign_message_run_once(api: Api, stack: Stack, rabbit: Rabbit) -> None:
    """
    They come at the same time, to whichever worker is free, and each to the recorder too.
    """
    job_id = str(uuid4())
    await asyncio.gather(*(_send(rabbit, "jobs.in", "job.nap.p5", job_id) for _ in range(3)))
    await eventually(lambda: _all_settled(api, rabbit, job_id))
    await api.finished(await api.submit("nap", {"seconds": 0.3}))  # a marker: whatever they were answered, it is over

    assert (1, 1, "completed", 1) == await _history(api, stack, job_id)


async def test_three_copies_of_a_run_run_once(api: Api, stack: Stack, rabbit: Rabbit) -> None:
    """
    The sweep may publish what its owner has published too, and a publish that timed out may still arrive.
    """
    job_id = await api.submit("nap", {"seconds": 0.3}, delay=0.3)
    (row,) = await api.sql("SELECT body FROM jobs WHERE id = $1", job_id)
    for exchange, key in (("jobs", "job.nap.p5"), ("delay.01", _ladder_key(3)), ("delay.02", _ladder_key(6))):
        await _send(rabbit, exchange, key, job_id, row["body"], run=1)
    await api.finished(job_id)
    await _send(rabbit, "jobs", "job.nap.p5", job_id, row["body"], run=1)
    marker = await api.submit("nap", delay=1.2)  # leaves the ladder after the last of them
    await api.finished(marker)
    await eventually(lambda: _all_settled(api, rabbit, job_id))

    assert (1, 1, "completed", 1) == await _history(api, stack, job_id)


async def _send(rabbit: Rabbit, exchange: str, key: str, job_id: str, body: bytes = BODY, **headers: int) -> None:
    said = {"content_type": "application/json", "type": "nap", "priority": 5, "delivery_mode": 2, "headers": headers}
    await rabbit.publish(exchange, key, body, message_id=job_id, **said)


def _ladder_key(units: int) -> str:
    return f"{'.'.join(f'{units:025b}')}.job.nap.p5"


async def _all_settled(api: Api, rabbit: Rabbit, job_id: str) -> bool:
    """The job has ended, and no copy is left in a queue or in a worker."""
    response = await api.client.get(f"/api/v1/jobs/{job_id}")
    ended = response.status_code == 200 and response.json()["state"] == "completed"
    return ended and 0 == await rabbit.ready(WORK) and 0 == await rabbit.unacked(WORK)


async def _history(api: Api, stack: Stack, job_id: str) -> tuple[int, int, str, int]:
    """How often it started and ended by the witness, its state, and how many outcomes are recorded."""
    told = stack.witness.read_text().splitlines()
    job, attempts = await api.job(job_id), await api.attempts(job_id)
    return told.count(f"{job_id} started"), told.count(f"{job_id} ended"), job["state"], len(attempts)
