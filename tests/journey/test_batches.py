"""Batches through all processes: the callback runs once, when the last job has ended and not before."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from typing import Any
from uuid import uuid4

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import ROOT, Stack

BATCHES = "/api/v1/batches"
PAGE = (ROOT / "docs" / "batches.md").read_text()
PASTES = [block.split("```")[0] for block in PAGE.split("```sh\n")[1:]]
TOLD = PAGE.split("```json\n")[1].split("```")[0]
ECHO = {"type": "echo", "payload": {"message": "hi"}}
DONE = {"type": "echo", "payload": {"said": "done"}}
SORRY = {"type": "echo", "payload": {"said": "sorry"}}


async def made(api: Api, **said: Any) -> str:
    response = await api.client.post(BATCHES, json={"on_complete": DONE, "on_failure": SORRY, **said})

    assert 202 == response.status_code, response.text
    return str(response.json()["links"]["self"])


async def ended(api: Api, path: str, ends: int = 1) -> dict[str, Any]:
    """The batch after so many ends."""

    async def has_ended() -> dict[str, Any] | None:
        batch = await api.get(path)
        return batch if batch["ends"] >= ends and batch["finished_at"] else None

    return await eventually(has_ended, within=60) or {}


async def callback(api: Api, batch: dict[str, Any]) -> dict[str, Any]:
    """What the callback of its last end was told, once it has run."""
    job = await api.finished(batch["callback_id"])

    assert "completed" == job["state"], job
    return dict(job["result"])


async def callbacks(api: Api, batch: dict[str, Any]) -> int:
    """How many jobs that are no children of it were told of this batch."""
    rows = await api.sql("SELECT body FROM jobs WHERE batch_id IS NULL AND type = 'echo'")
    return sum(batch["id"].encode() in row["body"] for row in rows)


async def test_the_callback_of_many_jobs_runs_once_and_is_told_the_counts(api: Api) -> None:
    """Two worker processes end the last of them at about the same time."""
    batch = await ended(api, await made(api, name="many", jobs=[ECHO] * 400))
    told = await callback(api, batch)

    assert ("completed", 400) == (batch["state"], batch["counts"]["completed"])
    assert {"said": "done", "batch": {**told["batch"], "name": "many", "total": 400, "completed": 400}} == told
    assert 1 == await callbacks(api, batch)


async def test_a_job_that_fails_calls_for_the_other_callback_and_a_retry_for_one_more(api: Api) -> None:
    path = await made(api, jobs=[ECHO, {"type": "flaky", "payload": {"times": 9}, "max_retries": 0}])
    first = await ended(api, path)
    sorry = await callback(api, first)
    retried = await api.client.post(f"{path}/retry")
    second = await ended(api, path, ends=2)
    again = await callback(api, second)

    assert (202, "running") == (retried.status_code, retried.json()["state"])
    assert ("failed", 1, 1) == (first["state"], first["counts"]["failed"], first["counts"]["completed"])
    assert [("sorry", 1), ("sorry", 2)] == [(one["said"], one["batch"]["end"]) for one in (sorry, again)]
    assert 2 == await callbacks(api, second)


async def test_a_batch_grows_while_its_first_jobs_are_done_and_is_cancelled_as_a_whole(api: Api) -> None:
    path = await made(api, open=True, jobs=[ECHO])
    batch_id = path.rpartition("/")[2]
    await api.all_finished(*[await api.submit("echo", {"message": "hi"}, batch_id=batch_id) for _ in range(3)])
    later = await api.submit("echo", {"message": "hi"}, batch_id=batch_id, delay=3_600)
    grown = await api.get(path)
    cancelled = await api.client.post(f"{path}/cancel")
    batch = await ended(api, path)
    told = await callback(api, batch)

    assert ("open", 5, 4) == (grown["state"], grown["counts"]["total"], grown["counts"]["completed"])
    assert 202 == cancelled.status_code
    assert "cancelled" == (await api.job(later))["state"]
    assert ("sorry", "cancelled", 1) == (told["said"], told["batch"]["state"], told["batch"]["cancelled"])


async def test_the_pastes_run_as_printed(api: Api, stack: Stack) -> None:
    """Both batches of the page end, and each calls back."""
    said = await asyncio.to_thread(
        subprocess.run, ["bash", "-euo", "pipefail", "-c", "\n".join(PASTES)],
        env={**os.environ, "WARREN_URL": stack.url, "no_proxy": "*"}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert (0, 2) == (said.returncode, len(PASTES)), said.stderr
    rows = await api.sql("SELECT id FROM batches ORDER BY created_at DESC LIMIT 2")
    batches = [await ended(api, f"{BATCHES}/{row['id']}") for row in rows]
    told = [await callback(api, batch) for batch in batches]

    assert {2, 4} == {one["batch"]["completed"] for one in told}
    assert set(re.findall(r'"(\w+)":', TOLD)) == set(told[-1]) | set(told[-1]["batch"])


async def test_jobs_that_name_it_over_amqp_are_counted(api: Api, rabbit: Rabbit) -> None:
    path = await made(api, open=True)
    body = json.dumps({**ECHO, "batch_id": path.rpartition("/")[2]}).encode()
    jobs = [str(uuid4()), str(uuid4())]
    for job in jobs:
        await rabbit.publish("jobs.in", "job.echo.p5", body, content_type="application/json", message_id=job)
    await api.all_finished(*[await api.born(job) for job in jobs])
    await api.client.post(f"{path}/close")
    batch = await ended(api, path)

    assert ("completed", 2) == (batch["state"], batch["counts"]["completed"])
