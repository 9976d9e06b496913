"""Either store may be away and submissions still succeed; with both away the caller is told, with an id."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.postgres import Postgres
from deploy.rabbitmq import RabbitMQ, manage
from persistence.migrations import upgrade
from tests.eventually import eventually
from tests.provider import private_postgres, private_rabbitmq
from tests.room.gateway.running import ECHO, JOBS, Running, gateway, register_types
from wire.settings import Stores
from wire.topology import bind_type, routing_key

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = private_postgres(Path(tmp_path_factory.mktemp("postgres")))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    server = private_rabbitmq(Path(tmp_path_factory.mktemp("rabbitmq")))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stores(postgres: Postgres, rabbitmq: RabbitMQ) -> Stores:
    """Servers of this file alone, because it stops them."""
    upgrade(postgres.dsn)
    asyncio.run(register_types(postgres.dsn))
    return Stores(
        amqp_url=SecretStr(rabbitmq.url),
        database_url=SecretStr(postgres.dsn),
        broker_timeout_seconds=2,
        database_timeout_seconds=2,
    )


@pytest_asyncio.fixture(loop_scope="module")
async def running(stores: Stores, postgres: Postgres, rabbitmq: RabbitMQ) -> AsyncIterator[Running]:
    await asyncio.gather(asyncio.to_thread(postgres.start), asyncio.to_thread(rabbitmq.start))
    async with gateway(stores) as one:
        await one.topology_stands()
        await one.submit()  # it knows the types now
        yield one


async def test_with_postgres_away_rabbitmq_holds_the_job(
    running: Running, postgres: Postgres, rabbitmq: RabbitMQ
) -> None:
    """
    The birth waits in `births`, whole, for the recorder; that the way stands is what a worker would have seen to.
    """
    await running.room.broker.declare(part for part in bind_type("echo", "default") if part.target == "births")
    await asyncio.to_thread(postgres.stop)
    accepted = await running.submit()
    births = await asyncio.to_thread(_first_birth, rabbitmq)
    await running.get("/health/ready", status=503)
    await running.get(accepted["links"]["self"], status=503)
    await asyncio.to_thread(postgres.start)

    assert (accepted["id"], None) == (births["properties"]["message_id"], accepted["created_at"])
    assert {**ECHO, "id": accepted["id"]} == json.loads(births["payload"])
    assert routing_key("echo", 5) == births["routing_key"]
    await eventually(lambda: _ready(running))


async def test_a_key_does_not_go_where_it_is_not_understood(
    running: Running, postgres: Postgres, rabbitmq: RabbitMQ
) -> None:
    """
    Over AMQP the field is refused: the id, which derives from it, has taken its place.
    """
    await running.room.broker.declare(part for part in bind_type("echo", "default") if part.target == "births")
    await asyncio.to_thread(postgres.stop)
    accepted = await running.submit({**ECHO, "idempotency_key": "order-17"})
    births = await asyncio.to_thread(_first_birth, rabbitmq)
    await asyncio.to_thread(postgres.start)

    assert {**ECHO, "id": accepted["id"]} == json.loads(births["payload"])


async def test_with_rabbitmq_away_the_outbox_holds_the_job(running: Running, rabbitmq: RabbitMQ) -> None:
    await asyncio.to_thread(rabbitmq.kill)
    accepted = await running.submit()
    job = await running.get(accepted["links"]["self"])
    left = await running.sql("SELECT 1 FROM warren.outbox WHERE job_id = $1", accepted["id"])
    await running.get("/health/ready", status=503)
    await asyncio.to_thread(rabbitmq.start)

    assert ("queued", 1) == (job["state"], len(left))
    await eventually(lambda: _ready(running), within=30)


async def test_with_rabbitmq_away_a_job_is_cancelled_and_retried(running: Running, rabbitmq: RabbitMQ) -> None:
    """
    The row decides, the hint is dropped, the message waits in the outbox; nobody waits for the broker.
    """
    asked, failed = await running.submit(), await running.submit()
    await running.sql("UPDATE warren.jobs SET state = 'running', lease = 1 WHERE id = $1", asked["id"])
    await running.sql("UPDATE warren.jobs SET state = 'failed' WHERE id = $1", failed["id"])
    await asyncio.to_thread(rabbitmq.kill)
    started = time.monotonic()
    cancelled = await running.post(f"{asked['links']['self']}/cancel")
    again = await running.post(f"{failed['links']['self']}/retry")
    took = time.monotonic() - started
    left = await running.sql("SELECT run FROM warren.outbox WHERE job_id = $1 AND run = 2", failed["id"])
    await asyncio.to_thread(rabbitmq.start)
    await eventually(lambda: _ready(running), within=30)

    assert ("running", True) == (cancelled["state"], cancelled["cancel_requested_at"] is not None)
    assert ("queued", 1) == (again["state"], len(left))
    assert took < 2


async def test_with_postgres_away_nothing_is_changed(running: Running, postgres: Postgres) -> None:
    accepted = await running.submit()
    await asyncio.to_thread(postgres.stop)
    for path in (f"{accepted['links']['self']}/cancel", f"{accepted['links']['self']}/retry"):
        await running.post(path, status=503)
    await running.delete(accepted["links"]["self"], status=503)
    await running.get("/api/v1/dead-letters", status=503)
    await running.post("/api/v1/dead-letters/redrive", status=503, body={})
    await asyncio.to_thread(postgres.start)
    await eventually(lambda: _ready(running), within=30)

    assert "queued" == (await running.get(accepted["links"]["self"]))["state"]


async def test_with_both_away_the_caller_gets_an_id_to_try_again_with(
    running: Running, postgres: Postgres, rabbitmq: RabbitMQ
) -> None:
    await asyncio.gather(asyncio.to_thread(rabbitmq.kill), asyncio.to_thread(postgres.stop))
    async with running.client.post(JOBS, json=ECHO) as response:
        problem = await response.json(content_type=None)
    await asyncio.gather(asyncio.to_thread(rabbitmq.start), asyncio.to_thread(postgres.start))
    await eventually(lambda: _ready(running), within=30)
    accepted = await running.submit({**ECHO, "id": problem["id"]})

    assert (503, "2") == (response.status, response.headers["Retry-After"])
    assert problem["id"] == accepted["id"]


async def test_it_starts_while_both_are_away(stores: Stores, postgres: Postgres, rabbitmq: RabbitMQ) -> None:
    """
    Live, not ready, 503 to submissions; and all of it well once they are there.
    """
    await asyncio.gather(asyncio.to_thread(rabbitmq.kill), asyncio.to_thread(postgres.stop))
    async with gateway(stores) as one:
        await one.get("/health/live")
        await one.get("/health/ready", status=503)
        await one.submit(status=503)
        await one.get(JOBS, status=503)
        await asyncio.gather(asyncio.to_thread(rabbitmq.start), asyncio.to_thread(postgres.start))
        await eventually(lambda: _ready(one), within=30)
        await one.submit()


async def test_a_frozen_postgres_is_an_outage_with_a_deadline(running: Running, postgres: Postgres) -> None:
    """
    It answers nothing and closes nothing; the job goes to RabbitMQ when the deadline is over.
    """
    postgres.pause()
    try:
        accepted = await asyncio.wait_for(running.submit(), 25)
        await asyncio.wait_for(running.get(JOBS, status=503), 15)
        await running.get("/health/live")
    finally:
        postgres.resume()

    assert accepted["created_at"] is None


def _first_birth(server: RabbitMQ) -> dict[str, Any]:
    query: dict[str, object] = {"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"}
    messages = json.loads(manage(server.management_url, "POST", "queues/%2F/births/get", query))
    return dict(messages[0])


async def _ready(running: Running) -> bool:
    async with running.client.get("/health/ready") as response:
        return response.status == 200
