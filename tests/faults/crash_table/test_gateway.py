"""The gateway dies: what becomes of what it was asked for, and what a client that asks again is told.

A client without an answer knows nothing, so it sends the same again; with a key of its own that is one job however the
first request ended.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Final

import pytest

from deploy.servers.postgres import Postgres
from persistence.letters.dead_letters import DeadLetter, keep
from persistence.store.database import Database
from tests.eventually import eventually
from tests.faults.crash_table.scene import WITHIN, Account, Scene
from tests.journey.api import JOBS
from wire.message import Incoming

LETTERS: Final = "/api/v1/dead-letters"
NAP: Final = json.dumps({"type": "nap", "payload": {}}).encode()

TABLE: Final = [
    # the gateway dies at, and leaves so many jobs
    ("accept, before its commit", 0),
    ("accept, committed", 1),  # its message is in the outbox
    ("accept, published", 1),  # its message is in the outbox and on its way
]


@pytest.mark.parametrize(("point", "left"), TABLE, ids=[row[0] for row in TABLE])
async def test_the_gateway_dies_while_it_accepts(scene: Scene, point: str, left: int) -> None:
    before = await scene.count("jobs")
    said = {"idempotency_key": str(uuid.uuid4()), "delay": 0.5}
    await scene.kill_at(point, scene.api.submit("nap", **said))
    at_death = await scene.count("jobs")
    await scene.revive("gateway")
    job_id = await scene.api.submit("nap", **said)
    await scene.hurry()

    assert Account() == await scene.account(job_id)
    assert (left, 1) == (at_death - before, await scene.count("jobs") - before)


async def test_the_gateway_dies_after_it_gave_a_job_to_the_broker_because_postgres_was_away(
    scene: Scene, postgres: Postgres
) -> None:
    before = await scene.count("jobs")
    said = {"idempotency_key": str(uuid.uuid4())}
    await asyncio.to_thread(postgres.stop)
    await scene.kill_at("accept, given to the broker", scene.api.submit("nap", **said))
    await asyncio.to_thread(postgres.start)
    await scene.revive("gateway")
    job_id = await scene.api.submit("nap", **said)

    assert Account() == await scene.account(job_id)
    assert 1 == await scene.count("jobs") - before


async def test_the_gateway_dies_after_a_cancel_was_committed(scene: Scene) -> None:
    """
    The hint to the worker is lost with it; the worker is told by its next heartbeat.
    """
    job_id = await scene.running("nap", {"seconds": 60.0})
    await scene.kill_at("cancel, committed", scene.api.client.post(f"{JOBS}/{job_id}/cancel"))
    became = await scene.account(job_id)
    await scene.revive("gateway")

    assert Account("cancelled", outcomes=("cancelled",)) == became


async def test_the_gateway_dies_after_a_retry_by_hand_was_committed(scene: Scene) -> None:
    job_id = await scene.api.submit("mended")
    await scene.account(job_id)
    await scene.kill_at("retry by hand, committed", scene.api.client.post(f"{JOBS}/{job_id}/retry"))
    await scene.hold()  # a gateway that is slow to come back would find it done
    await scene.revive("gateway")
    again = await scene.api.client.post(f"{JOBS}/{job_id}/retry")
    await scene.hurry()

    assert (409, f"job {job_id} is queued") == (again.status_code, again.json()["detail"])
    assert Account(starts=2, outcomes=("failed", "completed"), run=2) == await scene.account(job_id)


async def test_the_gateway_dies_after_a_redrive_was_committed(scene: Scene) -> None:
    (job_id,), _ = await _letters(scene, 1)
    (letter,) = await scene.api.sql("SELECT id FROM dead_letters WHERE message_id = $1", job_id)
    path = f"{LETTERS}/{letter['id']}/redrive"
    await scene.kill_at("redrive, committed", scene.api.client.post(path))
    await scene.revive("gateway")
    again = await scene.api.client.post(path)
    await scene.hurry()

    assert (409, True) == (again.status_code, f"was redriven as job {job_id}" in again.json()["detail"])
    assert Account() == await scene.account(job_id)


async def test_the_gateway_dies_in_the_middle_of_a_redrive_by_filter(scene: Scene) -> None:
    """
    Another takes the run up behind the last letter that is marked, when its holder has been silent for long enough.
    """
    job_ids, reason = await _letters(scene, 8)
    begin = scene.api.client.post(f"{LETTERS}/redrive", json={"reason": reason, "rate": 1000.0})
    await scene.kill_at("redrive by filter, three done", begin)
    at_death = await scene.count("jobs WHERE id = ANY($1)", job_ids)
    await scene.revive("gateway")
    await scene.api.sql("UPDATE redrive_runs SET held_until = clock_timestamp() WHERE finished_at IS NULL")
    await eventually(
        lambda: scene.count("redrive_runs WHERE reason = $1 AND finished_at IS NOT NULL", reason), within=WITHIN
    )
    await scene.hurry()
    became = await scene.accounts(job_ids)
    (run,) = await scene.api.sql("SELECT redriven, refused FROM redrive_runs WHERE reason = $1", reason)

    assert (3, [Account()] * 8) == (at_death, became)
    assert (8, 0) == (run["redriven"], run["refused"])


async def _letters(scene: Scene, count: int) -> tuple[list[str], str]:
    """So many naps that ended as dead letters, and the reason that only they have."""
    reason, ids = f"r_{uuid.uuid4().hex}", [str(uuid.uuid4()) for _ in range(count)]
    database = Database(scene.stack.database_url, "test", connections=1, timeout_seconds=10)
    messages = [Incoming(NAP, "jobs.in", "job.nap.p5", "births", message_id=one, type="nap") for one in ids]
    await keep(database, [DeadLetter(message, reason, "a test's") for message in messages])
    await database.stop()
    return ids, reason
