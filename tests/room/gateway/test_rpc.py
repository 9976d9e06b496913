"""The gRPC door: what is submitted there is a job as any other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.ports import free_port
from tests.room.gateway.calling import Caller, calling
from tests.room.gateway.running import Running, gateway
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def grpc_port() -> int:
    return free_port()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(stores: Stores, grpc_port: int) -> AsyncIterator[Running]:
    async with gateway(stores, grpc_port=grpc_port) as one:
        await one.topology_stands()
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(running: Running, grpc_port: int) -> AsyncIterator[Caller]:
    async with calling(grpc_port) as one:
        yield one


async def test_what_is_submitted_is_a_row(caller: Caller, running: Running) -> None:
    payload = '{"count": 3,  "message": "hü"}'
    answer = await caller.submit(payload, priority=8, max_retries=0, timeout_seconds=0.5, tags=["a", "b"])
    job = await running.get(f"/api/v1/jobs/{answer.job_id}")

    assert ("queued", False) == (answer.state, answer.duplicate)
    assert ("echo", 8, 0, 0.5, ["a", "b"], answer.trace_id) == tuple(
        job[name] for name in ("type", "priority", "max_retries", "timeout_seconds", "tags", "trace_id")
    )
    assert json.loads(payload) == job["payload"]
    assert payload == (await caller.get(answer.job_id)).payload
