"""POST …/cancel, POST …/retry, DELETE: the row decides, the answer says how the job stands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from deploy.servers.rabbitmq import manage
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.gateway.running import ECHO, Running
from wire.control import Hint, read
from wire.topology import CONTROL, Binding, Queue

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTENER = "listener"


@pytest_asyncio.fixture(loop_scope="module")
async def hints(running: Running, places: Places) -> AsyncIterator[Hints]:
    """A queue on `control`, as each worker has one."""
    await running.room.broker.declare([Queue(LISTENER), Binding(CONTROL, LISTENER, "")])
    listener = Hints(places)
    listener.take()
    yield listener


class Hints:
    """What was sent to all workers."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def take(self) -> list[Hint | None]:
        query: dict[str, object] = {"count": 100, "ackmode": "ack_requeue_false", "encoding": "auto"}
        path = f"queues/{self._places.vhost}/{LISTENER}/get"
        messages: list[dict[str, Any]] = json.loads(manage(self._places.management_url, "POST", path, query))
        return [read(message["payload"].encode()) for message in messages]


async def in_state(running: Running, state: str, **columns: object) -> str:
    """The path of a job in that state."""
    body = {**ECHO, "delay": 3_600} if state == "scheduled" else ECHO
    accepted = await running.submit(body)
    await running.sql("UPDATE warren.jobs SET state = $2, lease = 3 WHERE id = $1", accepted["id"], state)
    if state in ("completed", "failed", "cancelled", "expired"):
        await running.sql("UPDATE warren.jobs SET finished_at = now() WHERE id = $1", accepted["id"])
    for name, value in columns.items():
        await running.sql(f"UPDATE warren.jobs SET {name} = $2 WHERE id = $1", accepted["id"], value)
    path: str = accepted["links"]["self"]
    return path


@pytest.mark.parametrize("state", ["scheduled", "queued", "retrying"])
async def test_what_waits_is_cancelled(running: Running, state: str) -> None:
    path = await in_state(running, state)
    job = await running.post(f"{path}/cancel", status=200)

    assert job == await running.get(path)
    assert ("cancelled", None) == (job["state"], job["next_attempt_at"])
    assert job["finished_at"] == job["cancel_requested_at"]
    assert job == await running.post(f"{path}/cancel", status=200)  # a client that asks again


async def test_what_runs_is_asked_and_its_worker_gets_a_hint(running: Running, hints: Hints) -> None:
    path = await in_state(running, "running")
    async with running.client.post(f"{path}/cancel") as response:
        job = await response.json()
    sent = await eventually(hints.take)

    assert (202, path) == (response.status, response.headers["Location"])
    assert ("running", None, True) == (job["state"], job["finished_at"], job["cancel_requested_at"] is not None)
    assert [Hint("cancel", UUID(job["id"]), lease=3)] == sent


async def test_what_waits_needs_no_hint(running: Running, hints: Hints) -> None:
    await running.post(f"{await in_state(running, 'queued')}/cancel", status=200)
    marker = await in_state(running, "running")
    await running.post(f"{marker}/cancel")
    sent = await eventually(hints.take)

    assert [marker.rpartition("/")[2]] == [str(hint.job_id) for hint in sent if hint]


@pytest.mark.parametrize("state", ["completed", "failed", "expired"])
async def test_what_has_finished_otherwise_is_told(running: Running, state: str) -> None:
    path = await in_state(running, state)
    problem = await running.post(f"{path}/cancel", status=409)

    assert ("/problems#wrong_state", "id") == (problem["type"], problem["field"])
    assert f"is {state} already" in problem["detail"]


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled", "expired"])
async def test_what_has_finished_is_deleted(running: Running, state: str) -> None:
    path = await in_state(running, state)
    await running.delete(path)

    await running.get(path, status=404)
    await running.get(f"{path}/attempts", status=404)
    await running.delete(path, status=404)


@pytest.mark.parametrize(("state", "after"), [("scheduled", "cancelled"), ("queued", "cancelled"),
                                              ("retrying", "cancelled"), ("running", "running")])  # fmt: skip
async def test_what_lives_is_cancelled_by_delete(running: Running, state: str, after: str) -> None:
    path = await in_state(running, state)
    job = await running.delete(path, status=202)

    assert job
    assert (after, True) == (job["state"], job["cancel_requested_at"] is not None)


@pytest.mark.parametrize("state", ["scheduled", "queued", "retrying", "running", "completed"])
async def test_a_purge_deletes_in_any_state(running: Running, state: str) -> None:
    path = await in_state(running, state)
    await running.delete(f"{path}?purge=true")

    await running.get(path, status=404)


async def test_a_purge_of_what_runs_tells_its_worker(running: Running, hints: Hints) -> None:
    path = await in_state(running, "running")
    await running.delete(f"{path}?purge=1")
    sent = await eventually(hints.take)

    assert [Hint("cancel", UUID(path.rpartition("/")[2]), lease=3)] == sent


async def test_a_deleted_job_s_id_stays_used(running: Running) -> None:
    accepted = await running.submit()
    await running.delete(f"{accepted['links']['self']}?purge=true")
    problem = await running.submit({**ECHO, "id": accepted["id"]}, status=409)

    assert "deleted" in problem["detail"]


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
async def test_a_retry_by_hand_sends_it_again(running: Running, state: str) -> None:
    path = await in_state(running, state, attempt=4, error_type="Oops")
    job = await running.post(f"{path}/retry")
    left = "SELECT 1 FROM warren.outbox WHERE job_id = $1"

    assert ("queued", 0, None, None) == (job["state"], job["attempt"], job["error"], job["finished_at"])
    assert [2, 3, 4] == [planned["attempt"] for planned in job["retry_plan"]]
    await eventually(lambda: _gone(running, left, job["id"]))  # published, without waiting for the sweep


@pytest.mark.parametrize("state", ["scheduled", "queued", "retrying", "running", "completed"])
async def test_a_retry_of_anything_else_is_refused(running: Running, state: str) -> None:
    path = await in_state(running, state)
    problem = await running.post(f"{path}/retry", status=409)

    assert f"is {state}" in problem["detail"]
    assert "failed, cancelled and expired" in problem["remedy"]
    assert state == (await running.get(path))["state"]


async def test_fifty_retries_at_once_are_one(running: Running) -> None:
    path = await in_state(running, "failed")

    async def retry() -> int:
        async with running.client.post(f"{path}/retry") as response:
            return response.status

    statuses = await asyncio.gather(*[retry() for _ in range(50)])

    assert [1, 49] == [statuses.count(status) for status in (202, 409)]


async def test_fifty_who_cancel_and_retry_and_delete_leave_one_truth(running: Running) -> None:
    """
    Whatever comes last, no answer is a fault of ours, and the job is in one state or gone.
    """
    paths = [await in_state(running, "queued") for _ in range(5)]

    async def ask(method: str, path: str) -> int:
        async with running.client.request(method, path) as response:
            return response.status

    asked = [("POST", "/cancel"), ("POST", "/retry"), ("DELETE", ""), ("POST", "/retry"), ("GET", "")] * 2
    statuses = await asyncio.gather(*[ask(method, path + end) for path in paths for method, end in asked])

    assert {200, 202, 204, 404, 409} >= set(statuses)
    for path in paths:
        async with running.client.get(path) as response:
            found = await response.json(content_type=None)
        assert response.status == 404 or found["state"] in ("queued", "cancelled")


async def _gone(running: Running, statement: str, job_id: str) -> bool:
    return not await running.sql(statement, job_id)
