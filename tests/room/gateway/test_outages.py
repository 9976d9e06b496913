"""Either store may be away and submissions still succeed; with both away the caller is told, with an id."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.machine.ports import free_ports
from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ, manage
from persistence.migrations import upgrade
from scheduler.sweep import Sweep
from tests.eventually import eventually
from tests.provider import private_postgres, private_rabbitmq
from tests.room.gateway.running import ECHO, JOBS, Running, gateway, register_types
from wire.lifecycle import running as running_services
from wire.settings import Scheduler, Stores
from wire.topology import bind_type, routing_key

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEST_OF = 3  # a machine may stand still for some seconds, but not whenever it is looked at


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = private_postgres(Path(tmp_path_factory.mktemp("postgres")))
    server.start()
    yield server
    server.kill()  # its data is thrown away


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    server = private_rabbitmq(Path(tmp_path_factory.mktemp("rabbitmq")))
    server.start()
    yield server
    server.kill()  # its data is thrown away


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


async def test_what_was_remembered_of_a_store_is_forgotten_when_it_is_lost(
    running: Running, postgres: Postgres
) -> None:
    """
    Somebody who was told "ready" reads at once; who asks after a read was refused is not told so any more.
    """
    accepted = await running.submit()
    await running.get("/health/ready")
    await asyncio.to_thread(postgres.kill)
    await running.get(accepted["links"]["self"], status=503)
    await running.get("/health/ready", status=503)
    await asyncio.to_thread(postgres.start)
    await eventually(lambda: _ready(running))
    job = await running.get(accepted["links"]["self"])

    assert accepted["id"] == job["id"]


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


async def test_with_postgres_away_a_job_of_a_batch_is_held_too(running: Running, postgres: Postgres) -> None:
    """
    Whether its batch takes it nobody can say; it is counted when its row is born.  A whole batch has to wait.
    """
    job = {**ECHO, "batch_id": await running.open_batch()}
    await asyncio.to_thread(postgres.stop)
    accepted = await running.submit(job)
    many = await running.post(f"{JOBS}/bulk", 200, [job] * 3)
    await running.post("/api/v1/batches", 503, {"jobs": [ECHO]})
    await asyncio.to_thread(postgres.start)

    assert (None, 3) == (accepted["created_at"], many["accepted"])


async def test_with_rabbitmq_away_the_outbox_holds_the_job(running: Running, rabbitmq: RabbitMQ) -> None:
    await asyncio.to_thread(rabbitmq.kill)
    accepted = await running.submit()
    job = await running.get(accepted["links"]["self"])
    left = await running.sql("SELECT 1 FROM warren.outbox WHERE job_id = $1", accepted["id"])
    await running.get("/health/ready", status=503)
    await eventually(lambda: _cause(running, accepted["id"], "broker_away"))
    told = await running.get(f"{JOBS}/{accepted['id']}/why")
    await asyncio.to_thread(rabbitmq.start)

    assert ("queued", 1) == (job["state"], len(left))
    assert told["sentence"].startswith("It is not yet published: its message waits in the outbox since ")
    assert ", because RabbitMQ cannot be reached (" in told["sentence"]
    assert ({"connected": False, "alarm": False}, accepted["created_at"]) == (told["broker"], told["outbox"]["since"])
    await eventually(lambda: _ready(running), within=30)


async def test_an_alarm_of_rabbitmq_is_told(running: Running, rabbitmq: RabbitMQ) -> None:
    """
    It says so to whoever publishes, so the first job may learn it with the second.  Where the alarm outlasts the
    publisher's deadline the job is left to the sweep, as the scheduler's here.
    """
    await asyncio.to_thread(_control, rabbitmq, "rabbit_alarm:set_alarm({{resource_limit, disk, node()}, []}).")
    try:
        accepted = await running.submit()
        await eventually(lambda: _cause(running, accepted["id"], "broker_alarm"))
        told = await running.get(f"{JOBS}/{accepted['id']}/why")
    finally:
        await asyncio.to_thread(_control, rabbitmq, "rabbit_alarm:clear_alarm({resource_limit, disk, node()}).")
    sweep = Sweep(running.room.database, running.room.broker, Scheduler(sweep_seconds=0.1))
    async with running_services([sweep]):
        await eventually(lambda: _cause(running, accepted["id"], "no_worker"))

    assert {"connected": True, "alarm": True} == told["broker"]
    assert told["sentence"].endswith("because RabbitMQ takes no messages: it has raised an alarm (memory or disk).")


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
    assert took < 30  # nobody waited for the broker


async def test_with_postgres_away_nothing_is_changed(running: Running, postgres: Postgres) -> None:
    accepted = await running.submit()
    nightly = {"name": "nightly", "job_type": "echo", "payload": {"message": "hi"}, "cron_expression": "@daily"}
    schedule = (await running.post("/api/v1/schedules", 201, nightly))["links"]["self"]
    await asyncio.to_thread(postgres.stop)
    for path in (f"{accepted['links']['self']}/cancel", f"{accepted['links']['self']}/retry"):
        await running.post(path, status=503)
    for path in (f"{schedule}/pause", f"{schedule}/resume", f"{schedule}/trigger"):
        await running.post(path, status=503)
    await running.post("/api/v1/schedules", status=503, body=nightly)
    await running.post("/api/v1/schedules/preview", status=200, body={"cron_expression": "@daily"})
    await running.get(schedule, status=503)
    await running.delete(accepted["links"]["self"], status=503)
    await running.get("/api/v1/dead-letters", status=503)
    await running.post("/api/v1/dead-letters/redrive", status=503, body={})
    await asyncio.to_thread(postgres.start)
    await eventually(lambda: _ready(running), within=30)

    assert "queued" == (await running.get(accepted["links"]["self"]))["state"]
    assert "active" == (await running.get(schedule))["state"]


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


async def test_with_postgres_away_a_bulk_goes_to_rabbitmq(
    running: Running, postgres: Postgres, rabbitmq: RabbitMQ
) -> None:
    """
    A key makes the same id as ever; only whether another job stands for one cannot be known, and that one waits.
    """
    await running.room.broker.declare(part for part in bind_type("echo", "default") if part.target == "births")
    await asyncio.to_thread(manage, rabbitmq.management_url, "DELETE", "queues/%2F/births/contents")
    jobs = [ECHO, {**ECHO, "idempotency_key": "order-18"}, {**ECHO, "unique": True}, {"type": "echo", "payload": 7}]
    await asyncio.to_thread(postgres.stop)
    status, answer = await _bulk(running, jobs)
    alone = await running.submit({**ECHO, "unique": True}, status=503)
    births = await asyncio.to_thread(_births, rabbitmq, 9)
    await asyncio.to_thread(postgres.start)
    await eventually(lambda: _ready(running), within=30)
    again = await running.submit({**ECHO, "idempotency_key": "order-18"})

    assert (207, ["accepted", "accepted", "unavailable", "invalid"]) == (status, [i["status"] for i in answer["items"]])
    assert [item["id"] for item in answer["items"][:2]] == [birth["properties"]["message_id"] for birth in births]
    assert (answer["items"][1]["id"], True) == (again["id"], alone["id"] != answer["items"][2]["id"])


async def test_with_both_away_nothing_is_half_said(running: Running, postgres: Postgres, rabbitmq: RabbitMQ) -> None:
    """
    Of a chunk that found no store its ids are told, as of a whole request; what was safe before it is not in doubt.
    """
    for statement in _FULL_FOR_SOME:
        await running.sql(statement)
    keyed = [{**ECHO, "idempotency_key": f"room-{number}"} for number in range(500)]
    jobs = keyed + [{**ECHO, "tags": ["no room"]}] * 20
    await asyncio.to_thread(rabbitmq.kill)
    status, part = await _bulk(running, jobs)
    known, repeated = await _bulk(running, keyed)
    await running.sql("DROP TRIGGER full_for_some ON warren.jobs")
    await asyncio.to_thread(postgres.stop)
    refused, problem = await _bulk(running, [ECHO, {"type": "echo", "payload": 7}, ECHO])
    await asyncio.gather(asyncio.to_thread(rabbitmq.start), asyncio.to_thread(postgres.start))
    await eventually(lambda: _ready(running), within=30)
    first, none, last = problem["ids"]
    left = [item["id"] for item in part["items"] if item["status"] == "unavailable"]
    whole, again = await _bulk(running, [{**ECHO, "id": job_id} for job_id in (first, last, *left)])

    assert (207, 500, 20) == (status, part["accepted"], part["unavailable"])
    assert (200, 500) == (known, repeated["duplicate"])
    assert (503, None, "/problems#unavailable") == (refused, none, problem["type"])
    assert (200, 22) == (whole, again["accepted"])


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
        for _ in range(BEST_OF):
            started = time.monotonic()
            many = await asyncio.wait_for(_bulk(running, [ECHO] * 3_000), 55)
            if (took := time.monotonic() - started) < 12:
                break
        await asyncio.wait_for(running.get(JOBS, status=503), 30)
        await running.get("/health/live")
    finally:
        postgres.resume()

    assert accepted["created_at"] is None
    assert (200, 3_000) == (many[0], many[1]["accepted"])
    assert took < 12  # six groups, each with a deadline of two seconds: not one after the other


# As a disk says that is full, to the statement that is so unlucky.
_FULL_FOR_SOME = (
    """
CREATE OR REPLACE FUNCTION public.no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100';
END $$
""",
    """
CREATE TRIGGER full_for_some BEFORE INSERT ON warren.jobs FOR EACH ROW
  WHEN (NEW.tags[1] = 'no room') EXECUTE FUNCTION public.no_room()
""",
)


def _first_birth(server: RabbitMQ) -> dict[str, Any]:
    return _births(server, 1)[0]


def _births(server: RabbitMQ, count: int) -> list[dict[str, Any]]:
    query: dict[str, object] = {"count": count, "ackmode": "ack_requeue_false", "encoding": "auto"}
    return list(json.loads(manage(server.management_url, "POST", "queues/%2F/births/get", query)))


async def _bulk(running: Running, jobs: list[Any]) -> tuple[int, dict[str, Any]]:
    async with running.client.post(f"{JOBS}/bulk", json=jobs) as response:
        return response.status, await response.json(content_type=None)


async def _ready(running: Running) -> bool:
    async with running.client.get("/health/ready") as response:
        return response.status == 200


async def _cause(running: Running, job_id: str, cause: str) -> bool:
    return bool((await running.get(f"{JOBS}/{job_id}/why"))["cause"] == cause)


def _control(rabbitmq: RabbitMQ, expression: str) -> None:
    """Have the node do it."""
    port = free_ports(["control"], {})["control"]
    own = {"RABBITMQ_CTL_DIST_PORT_MIN": str(port), "RABBITMQ_CTL_DIST_PORT_MAX": str(port)}
    command = [str(rabbitmq.binaries.folder / "rabbitmqctl"), "eval", expression]
    subprocess.run(command, env=rabbitmq._node_environ() | own, check=True, capture_output=True, timeout=60)
