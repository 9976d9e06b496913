"""GET: one job, a page of jobs, a job's attempts, the job types; and waiting for the end."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import aiohttp
import pytest

from tests.eventually import eventually
from tests.room.gateway.running import ECHO, JOBS, Running, gateway
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = [
    "id", "type", "queue", "state", "reason", "priority", "payload", "result", "result_artifact", "error", "attempt",
    "max_retries", "timeout_seconds", "created_at", "scheduled_for", "started_at", "finished_at", "next_attempt_at",
    "retry_plan", "expires_at", "cancel_requested_at", "progress", "worker", "tags", "batch_id", "schedule_id",
    "due_at", "redriven_from",
    "reply_to", "correlation_id", "trace_id", "links",
]  # fmt: skip


async def test_a_job_has_exactly_these_fields(running: Running) -> None:
    accepted = await running.submit()
    job = await running.get(accepted["links"]["self"])

    assert NAMES == list(job)
    assert job["created_at"].endswith("Z")
    assert (None, None, None, []) == (job["error"], job["progress"], job["result"], job["tags"])


async def test_a_result_comes_back_byte_for_byte(running: Running) -> None:
    accepted = await running.submit()
    await running.finish(accepted["id"], '{"b": 1.50,  "a": 10000000000000000000000}')
    async with running.client.get(accepted["links"]["self"]) as response:
        text = await response.text()

    assert '"result":{"b": 1.50,  "a": 10000000000000000000000},' in text


@pytest.mark.parametrize(
    ("kept", "told"),
    [("answers", "answers"), ("amq.rabbitmq.reply-to.g1h2AA5y.secret==", "amq.rabbitmq.reply-to")],
)
async def test_it_is_told_who_waits_for_the_outcome(running: Running, kept: str, told: str) -> None:
    """And not what RabbitMQ put behind the name, with which anybody could answer."""
    accepted = await running.submit()
    await running.sql(
        "UPDATE warren.jobs SET reply_to = $2, correlation_id = 'order 7' WHERE id = $1", accepted["id"], kept
    )
    job = await running.get(accepted["links"]["self"])

    assert (told, "order 7") == (job["reply_to"], job["correlation_id"])


async def test_a_failure_tells_its_error_and_progress(running: Running) -> None:
    accepted = await running.submit()
    await running.sql(
        "UPDATE warren.jobs SET state = 'failed', reason = 'permanent', error_type = 'ValueError', "
        "error_message = 'no', progress = 0.5, note = 'half' WHERE id = $1",
        accepted["id"],
    )
    job = await running.get(accepted["links"]["self"])

    assert ("failed", "permanent") == (job["state"], job["reason"])
    assert {"type": "ValueError", "message": "no"} == job["error"]
    assert {"fraction": 0.5, "note": "half"} == job["progress"]


async def test_the_retries_that_are_left_are_planned(running: Running) -> None:
    accepted = await running.submit()
    queued = (await running.get(accepted["links"]["self"]))["retry_plan"]
    await running.sql(
        "UPDATE warren.jobs SET state = 'retrying', attempt = 2, next_attempt_at = '2030-01-01' WHERE id = $1",
        accepted["id"],
    )
    retrying = (await running.get(accepted["links"]["self"]))["retry_plan"]
    await running.finish(accepted["id"])
    finished = (await running.get(accepted["links"]["self"]))["retry_plan"]

    waits = [(2, 2.0, 2.5), (3, 4.0, 5.0), (4, 8.0, 10.0)]
    assert [
        {"attempt": n, "after_seconds": least, "at_most_seconds": most, "earliest_at": None} for n, least, most in waits
    ] == queued
    assert [(3, None, "2030-01-01T00:00:00Z"), (4, 8.0, "2030-01-01T00:00:08Z")] == [
        (planned["attempt"], planned["after_seconds"], planned["earliest_at"]) for planned in retrying
    ]
    assert finished is None


async def test_pages_follow_one_another_without_gap_or_repeat(running: Running) -> None:
    batch = await running.open_batch()
    made = [(await running.submit({**ECHO, "batch_id": batch}))["id"] for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await running.get(f"{JOBS}?batch_id={batch}&limit=3{cursor}")
        seen += [job["id"] for job in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert list(reversed(made)) == seen


@pytest.mark.parametrize("name", ["state", "status", "status_filter"])
async def test_states_are_filtered_under_any_of_their_names(running: Running, name: str) -> None:
    batch = await running.open_batch()
    waiting, done = [(await running.submit({**ECHO, "batch_id": batch}))["id"] for _ in range(2)]
    await running.finish(done)
    pending = await running.get(f"{JOBS}?batch_id={batch}&{name}=pending")
    completed = await running.get(f"{JOBS}?batch_id={batch}&{name}=completed")

    assert ([waiting], [done]) == tuple([job["id"] for job in page["items"]] for page in (pending, completed))


async def test_filters_add_up(running: Running) -> None:
    tag = uuid4().hex
    first = await running.submit({**ECHO, "tags": [tag]})
    await running.submit({"type": "anything", "payload": {}, "tags": [tag]})
    page = await running.get(f"{JOBS}?tag={tag}&type=echo&queue=default&since={first['created_at']}")

    assert [first["id"]] == [job["id"] for job in page["items"]]


async def test_a_time_with_an_offset_may_come_unescaped(running: Running) -> None:
    await running.get(f"{JOBS}?since=2030-01-01T00:00:00+02:00&limit=1")


async def test_attempts_are_told_in_order(running: Running) -> None:
    accepted = await running.submit()
    for lease, outcome in ((1, "retry"), (2, "completed")):
        await running.sql(
            "INSERT INTO warren.attempts (job_id, lease, run, attempt, outcome, worker, started_at, finished_at, "
            "error_type, error_message) VALUES ($1, $2, $2, $2, $3, 'w', now(), now(), $4, $4)",
            accepted["id"],
            lease,
            outcome,
            "Oops" if outcome == "retry" else None,
        )
    answer = await running.get(accepted["links"]["attempts"])

    assert [(1, "retry"), (2, "completed")] == [(a["lease"], a["outcome"]) for a in answer["items"]]
    assert [{"type": "Oops", "message": "Oops", "traceback": None}, None] == [a["error"] for a in answer["items"]]


async def test_a_job_without_attempts_has_an_empty_list(running: Running) -> None:
    accepted = await running.submit()

    assert {"items": [], "next_cursor": None} == await running.get(accepted["links"]["attempts"])


async def test_job_types_are_told_with_their_schema_and_workers(running: Running) -> None:
    await running.sql(
        "INSERT INTO warren.workers (session, name, host, pid, queues, types, concurrency, free_slots, consuming) "
        "VALUES ($1, 'w', 'h', 1, '{default}', '{echo}', 1, 1, true)",
        uuid4(),
    )
    types = {t["name"]: t for t in (await running.get("/api/v1/job-types"))["items"]}
    echo = await running.get("/api/v1/job-types/echo")

    assert echo == types["echo"]
    assert ("default", 1, ["message"]) == (echo["queue"], echo["workers"], echo["payload_schema"]["required"])
    assert 0 == types["anything"]["workers"]
    assert (None, ["said"]) == (echo["result_schema"], types["anything"]["result_schema"]["required"])


async def test_a_wait_ends_with_the_job(running: Running) -> None:
    accepted = await running.submit()
    asked = asyncio.create_task(running.get(f"{accepted['links']['self']}?wait=30"))
    await eventually(lambda: running.room.waiting._questions)
    await running.finish(accepted["id"], '"done"')
    finished = time.monotonic()
    job = await asked

    assert ("completed", "done") == (job["state"], job["result"])
    assert time.monotonic() - finished < 25  # of thirty


async def test_a_hundred_who_wait_are_one_question(running: Running) -> None:
    jobs = await asyncio.gather(*[running.submit() for _ in range(100)])
    asked = [asyncio.create_task(running.get(f"{job['links']['self']}?wait=30")) for job in jobs]
    await eventually(lambda: len(running.room.waiting._questions) == 100)
    await running.sql("UPDATE warren.jobs SET state = 'completed' WHERE state = 'queued'")
    answers = await asyncio.gather(*asked)

    assert {"completed"} == {job["state"] for job in answers}


async def test_a_wait_ends_with_its_time(running: Running) -> None:
    accepted = await running.submit()
    job = await running.get(f"{accepted['links']['self']}?wait=0.1")

    assert "queued" == job["state"]


async def test_a_wait_ends_when_the_client_hangs_up(running: Running) -> None:
    accepted = await running.submit()
    with pytest.raises(TimeoutError):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2)) as impatient:
            await impatient.get(f"http://127.0.0.1:{running.port}{accepted['links']['self']}?wait=60")

    await eventually(lambda: not running.room.waiting._questions)


async def test_a_shutdown_answers_those_who_wait(stores: Stores) -> None:
    async with gateway(stores) as leaving:
        accepted = await leaving.submit()
        asked = asyncio.create_task(leaving.get(f"{accepted['links']['self']}?wait=60"))
        await eventually(lambda: leaving.room.waiting._questions)
        started = time.monotonic()
        await leaving.room.listener.stop()

        assert "queued" == (await asked)["state"]
        assert time.monotonic() - started < 50  # of sixty


async def test_health_names_each_check(running: Running) -> None:
    health = await running.get("/health")

    assert ["database", "broker", "workers", "pauses"] == list(health["checks"])
    assert {"status": "ok"} == await running.get("/health/live")
    assert health["checks"]["broker"]["version"]
