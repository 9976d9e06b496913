"""POST /api/v1/jobs: accepted means durable, readable at once, and once."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.eventually import eventually
from tests.room.gateway.running import ECHO, JOBS, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_submission_is_answered_with_its_place(running: Running) -> None:
    async with running.client.post(JOBS, json=ECHO) as response:
        answer = await response.json()

    assert 202 == response.status
    assert f"{JOBS}/{answer['id']}" == response.headers["Location"] == answer["links"]["self"]
    assert ("echo", "queued", 7) == (answer["type"], answer["state"], UUID(answer["id"]).version)
    assert "duplicate" not in answer


async def test_a_job_can_be_read_the_moment_it_was_accepted(running: Running) -> None:
    """
    The row is committed before the answer: no reader may meet a 404 between the two.
    """

    async def submit_and_read() -> dict[str, object]:
        return await running.get((await running.submit())["links"]["self"])

    jobs = await asyncio.gather(*[submit_and_read() for _ in range(200)])

    assert 200 == len({job["id"] for job in jobs})


async def test_defaults_come_from_the_type(running: Running) -> None:
    accepted = await running.submit({"type": "anything", "payload": {}})
    job = await running.get(accepted["links"]["self"])

    assert ("other", 7, 1, 30.0) == (job["queue"], job["priority"], job["max_retries"], job["timeout_seconds"])


async def test_what_was_asked_for_is_kept(running: Running) -> None:
    batch = await running.open_batch()
    asked = {"priority": "high", "max_retries": 9, "timeout_seconds": 1.5, "tags": ["a", "b"], "batch_id": batch}
    job = await running.get((await running.submit({**ECHO, **asked}))["links"]["self"])

    assert {**asked, "priority": 8} == {name: job[name] for name in asked}


async def test_a_payload_comes_back_byte_for_byte(running: Running) -> None:
    """
    Key order, big numbers and the spelling of floats are the sender's, not ours.
    """
    payload = '{"z": 1.10, "a": 123456789012345678901234567890,  "é": [1e2, "\\u00e9\\ud83d\\ude00"]}'
    body = f'{{"type": "anything", "payload": {payload}}}'
    headers = {"Content-Type": "application/json"}
    async with running.client.post(JOBS, data=body.encode(), headers=headers) as response:
        accepted = await response.json()
    async with running.client.get(accepted["links"]["self"]) as response:
        text = await response.text()

    assert f'"payload":{payload},' in text


async def test_the_same_id_and_body_are_one_job(running: Running) -> None:
    body = {**ECHO, "id": str(uuid4())}
    answers = await asyncio.gather(*[running.submit(body) for _ in range(10)])

    assert {body["id"]} == {answer["id"] for answer in answers}
    assert 9 == sum(answer.get("duplicate", False) for answer in answers)
    assert 1 == len({answer["created_at"] for answer in answers})


async def test_a_duplicate_is_told_the_trace_of_the_first(running: Running) -> None:
    body = {**ECHO, "id": str(uuid4())}
    first, second = await running.submit(body), await running.submit(body)

    assert first["trace_id"] == second["trace_id"]


async def test_a_key_in_the_header_and_in_the_body_is_the_same_key(running: Running) -> None:
    key = uuid4().hex
    by_header = await running.submit(ECHO, Idempotency_Key=key)
    by_field = await running.submit({**ECHO, "idempotency_key": key})

    assert by_header["id"] == by_field["id"]
    assert by_field["duplicate"]


@pytest.mark.parametrize("by", ["id", "idempotency_key"])
async def test_another_body_under_the_same_name_is_refused(running: Running, by: str) -> None:
    name = str(uuid4())
    await running.submit({**ECHO, by: name})
    problem = await running.submit({"type": "echo", "payload": {"message": "other"}, by: name}, status=409)

    assert ("/problems#id_reused", "id") == (problem["type"], problem["field"])


async def test_a_delayed_job_says_when(running: Running) -> None:
    run_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    accepted = await running.submit({**ECHO, "run_at": run_at.isoformat()})
    job = await running.get(accepted["links"]["self"])

    assert ("scheduled", "scheduled") == (accepted["state"], job["state"])
    assert run_at.strftime("%Y-%m-%dT%H:%M:%SZ") == job["scheduled_for"]


async def test_a_repeated_request_is_known_after_its_time(running: Running) -> None:
    """
    A client that asks again two minutes later must learn of its job, not that the time is past.
    """
    body = {**ECHO, "run_at": (datetime.now(UTC) + timedelta(seconds=30)).isoformat(), "id": str(uuid4())}
    await running.submit(body)
    past = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    stale = {**body, "run_at": past}
    problem = await running.submit(stale, status=409)

    assert "/problems#id_reused" == problem["type"]  # judged as a job that is known, not refused for its time
    assert "run_at" == (await running.submit({**stale, "id": str(uuid4())}, status=422))["field"]


async def test_the_caller_s_trace_goes_on(running: Running) -> None:
    trace = uuid4().hex
    accepted = await running.submit(ECHO, traceparent=f"00-{trace}-00f067aa0ba902b7-01")

    assert trace == accepted["trace_id"]


async def test_a_trace_state_that_cannot_be_stored_costs_no_job(running: Running) -> None:
    trace = uuid4().hex
    accepted = await running.submit(ECHO, traceparent=f"00-{trace}-00f067aa0ba902b7-01", tracestate="a=é\udcff")

    assert trace == accepted["trace_id"]


async def test_the_request_id_goes_in_and_out(running: Running) -> None:
    headers = {"X-Request-ID": "order-17/b"}
    async with running.client.post(JOBS, json={}, headers=headers) as response:
        problem = await response.json(content_type=None)

    assert "order-17/b" == response.headers["X-Request-ID"] == problem["request_id"]


@pytest.mark.parametrize("indecent", ["x" * 129, "café", "a\tb"])
async def test_a_request_id_that_is_none_is_replaced(running: Running, indecent: str) -> None:
    async with running.client.get("/health/live", headers={"X-Request-ID": indecent}) as response:
        given = response.headers["X-Request-ID"]

    assert 32 == len(given)


async def test_extra_fields_are_carried(running: Running) -> None:
    accepted = await running.submit({**ECHO, "x_origin": {"shop": 7}})
    rows = await running.sql("SELECT body FROM warren.jobs WHERE id = $1", accepted["id"])

    assert {"shop": 7} == json.loads(rows[0]["body"])["x_origin"]


async def test_a_client_that_hangs_up_has_submitted_its_job(running: Running) -> None:
    """
    A lock holds the accept up while the client leaves; when it is released the job must be there.
    """
    job_id = str(uuid4())
    body = json.dumps({**ECHO, "id": job_id}).encode()
    async with running.room.database.session("holder") as connection, connection.transaction():
        await connection.execute("LOCK TABLE warren.jobs IN ACCESS EXCLUSIVE MODE")
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        head = f"POST {JOBS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'warren.jobs'::regclass"
        await eventually(lambda: connection.fetch(waits))
        writer.close()
        await writer.wait_closed()
    found = await eventually(lambda: running.sql("SELECT state FROM warren.jobs WHERE id = $1", UUID(job_id)))

    assert "queued" == found[0]["state"]


async def test_a_group_that_fails_unforeseen_is_not_the_last(running: Running) -> None:
    """
    The accept is one task for all: an error that nobody foresaw must end in answers, not in silence.
    """
    await running.sql("ALTER TABLE warren.jobs RENAME COLUMN tracestate TO renamed")
    try:
        problem = await running.submit(status=500)
    finally:
        await running.sql("ALTER TABLE warren.jobs RENAME COLUMN renamed TO tracestate")
    await running.submit()

    assert ("the request failed", None) == (problem["detail"], problem.get("field"))


async def test_an_accepted_job_leaves_the_outbox(running: Running) -> None:
    """
    The outbox row goes when RabbitMQ has confirmed the message.
    """
    accepted = await running.submit()
    left = "SELECT 1 FROM warren.outbox WHERE job_id = $1"

    await eventually(lambda: _gone(running, left, accepted["id"]))


async def _gone(running: Running, statement: str, job_id: str) -> bool:
    return not await running.sql(statement, job_id)
