"""Somebody dies while a batch is made, ends or is sent again: each end has one callback, and no job is left behind."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any, Final

import pytest

from tests.eventually import eventually
from tests.faults.crash_table.scene import WITHIN, Account, Scene

BATCHES: Final = "/api/v1/batches"
NAP: Final = {"type": "nap", "payload": {}}
WRONG: Final = {"type": "flaky", "payload": {"times": 9}, "max_retries": 0}


@pytest.mark.parametrize("point", ["batch ended, before its commit", "batch ended, committed"])
async def test_the_scheduler_dies_as_a_batch_ends(scene: Scene, point: str) -> None:
    """
    Either nothing was noticed, and the next scheduler notices; or the callback stands in the outbox with its row.
    """
    batch = await scene.kill_at(point, _make(scene, jobs=[NAP] * 3, on_complete=NAP))
    await scene.revive("scheduler")
    await scene.hurry()
    ended = await _ended(scene, batch)

    assert ("completed", 1, 3) == (ended["state"], ended["ends"], ended["counts"]["completed"])
    assert Account() == await scene.account(ended["callback_id"])
    assert 1 == await _callbacks(scene, batch)


async def test_the_gateway_dies_after_it_committed_a_batch(scene: Scene) -> None:
    """The client knows nothing and sends the same again: it is the same batch, with jobs that ran once."""
    said = {"jobs": [NAP] * 3, "on_complete": NAP, "key": str(uuid.uuid4())}
    await scene.kill_at("batch, committed", _make(scene, **said))
    await scene.revive("gateway")
    await scene.hurry()
    batch = await _make(scene, **said)
    ended = await _ended(scene, batch)
    jobs = (await scene.api.get(ended["links"]["jobs"]))["items"]

    assert batch["duplicate"]
    assert [Account()] * 3 == await scene.accounts([job["id"] for job in jobs])
    assert 1 == await _callbacks(scene, batch)


async def test_the_gateway_dies_before_it_has_sent_all_of_a_batch_again(scene: Scene) -> None:
    """The order stands on the batch's row; the scheduler carries on with it, and the batch does not end before."""
    batch = await _make(scene, jobs=[WRONG] * 3, on_failure=NAP)
    await _ended(scene, batch)
    await asyncio.to_thread(scene.stack.stop, "scheduler")  # or it might be the one who carries the order out
    retry = scene.api.client.post(f"{BATCHES}/{batch['id']}/retry")
    await scene.kill_at("batch sent again, before its commit", retry)
    scene.stack.start("scheduler")
    await scene.revive("gateway")
    ended = await _ended(scene, batch, ends=2)

    assert ("failed", 2, 3) == (ended["state"], ended["ends"], ended["counts"]["failed"])
    assert 2 == await _callbacks(scene, batch)


async def _make(scene: Scene, key: str | None = None, **said: Any) -> dict[str, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    response = await scene.api.client.post(BATCHES, json=said, headers=headers)

    assert response.status_code in (200, 202), response.text
    return dict(response.json())


async def _ended(scene: Scene, batch: dict[str, Any], ends: int = 1) -> dict[str, Any]:
    async def ended() -> dict[str, Any] | None:
        found = await scene.api.get(f"{BATCHES}/{batch['id']}")
        return found if found["finished_at"] and found["ends"] >= ends else None

    return await eventually(ended, within=WITHIN) or {}


async def _callbacks(scene: Scene, batch: dict[str, Any]) -> int:
    """How many of its callbacks have begun, by the witness."""
    rows = await scene.api.sql("SELECT id, body FROM jobs WHERE type = 'nap' AND batch_id IS NULL")
    told = [row["id"] for row in rows if json.loads(row["body"])["payload"].get("batch", {}).get("id") == batch["id"]]
    await asyncio.gather(*(scene.api.finished(str(job_id)) for job_id in told))
    return sum(scene.starts(str(job_id)) for job_id in told)
