"""POST /api/v1/jobs/bulk: a word for each job, in order, and one bad job never fails the rest."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.eventually import eventually
from tests.room.gateway.running import ECHO, Running
from wire.lifecycle import spare_what_stays

pytestmark = pytest.mark.asyncio(loop_scope="module")

BULK = "/api/v1/jobs/bulk"
LINES = {"Content-Type": "application/x-ndjson"}
BAD = {"type": "echo", "payload": {"message": 7}}


async def test_every_job_is_answered_in_order(running: Running) -> None:
    jobs = [{**ECHO, "tags": [f"number{number}"]} for number in range(1_200)]
    status, answer = await bulk(running, jobs)
    rows = await running.sql("SELECT id, tags[1] AS tag FROM warren.jobs WHERE tags[1] LIKE 'number%'")

    assert (200, 1_200, {"accepted"}) == (status, answer["accepted"], {item["status"] for item in answer["items"]})
    assert [str(item["id"]) for item in answer["items"]] == [
        str(row["id"]) for row in sorted(rows, key=lambda row: int(row["tag"].removeprefix("number")))
    ]


async def test_one_bad_job_does_not_fail_the_rest(running: Running) -> None:
    """
    The refusal is the one that the job would get alone: the field and the remedy.
    """
    status, answer = await bulk(running, [ECHO, BAD, {"type": "nobody", "payload": {}}, 7, ECHO])
    kinds = [item["status"] for item in answer["items"]]
    problems = [item["problem"] for item in answer["items"] if item["status"] == "invalid"]
    alone = await running.submit(BAD, status=422)

    assert (207, 2, 3, 0) == (status, answer["accepted"], answer["invalid"], answer["duplicate"])
    assert ["accepted", "invalid", "invalid", "invalid", "accepted"] == kinds
    assert ["payload.message", "type", "body"] == [problem["field"] for problem in problems]
    assert {name: value for name, value in alone.items() if name != "request_id"} == problems[0]


async def test_lines_are_jobs_too(running: Running) -> None:
    text = "\n".join(json.dumps(job) for job in (ECHO, BAD)) + "\r\n\n{broken\n" + json.dumps(ECHO)
    status, answer = await sent(running, text.encode(), LINES)

    assert (207, ["accepted", "invalid", "invalid", "accepted"]) == (status, [i["status"] for i in answer["items"]])


async def test_what_one_reader_would_see_otherwise_is_refused_alone(running: Running) -> None:
    """
    NaN, a key twice and a NUL are faults of their job; only what is no JSON at all is a fault of the body.
    """
    twice = '{"type":"echo","type":"echo","payload":{"message":""}}'
    text = f'[ {json.dumps(ECHO)} ,{twice},{{"type":"echo","payload":{{"message":NaN}}}},\n{json.dumps(ECHO)}]'
    _, answer = await sent(running, text.encode())

    assert ["accepted", "invalid", "invalid", "accepted"] == [item["status"] for item in answer["items"]]
    assert ["has the key 'type' twice", "holds NaN, which is not JSON"] == [
        item["problem"]["detail"].removeprefix("body ") for item in answer["items"] if "problem" in item
    ]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "is not a JSON array"),
        ("[]", "holds no job"),
        (" [ ] x", "something comes after the array's end"),
        ('{"type":"echo","payload":{}}', "is not a JSON array"),
        ("[{}", "comes neither a comma nor the end"),
        ("[{},", "Expecting value"),
        ("[{},]", "Expecting value"),
        ("[{}] []", "something comes after the array's end"),
        ('[{"a":"\ud800"}]', "is not UTF-8"),
        ("[" + "[" * 100_000, "is nested too deeply in job 0"),
        ("[" + "1," * 10_000 + "1]", "holds more than 10000 jobs"),
    ],
)
async def test_a_body_that_is_no_list_of_jobs_leaves_nothing_behind(running: Running, body: str, problem: str) -> None:
    before = await running.sql("SELECT count(*) FROM warren.jobs")
    status, answer = await sent(running, body.encode("utf-8", "surrogatepass"))

    assert status in (413, 422)
    assert problem in answer["detail"]
    assert before == await running.sql("SELECT count(*) FROM warren.jobs")


async def test_too_many_lines_are_refused(running: Running) -> None:
    status, answer = await sent(running, b"{}\n" * 10_001, LINES)

    assert (413, "/problems#too_large") == (status, answer["type"])


async def test_the_same_job_twice_in_one_request_is_one(running: Running) -> None:
    """
    By its id or by its key; the same name with another body is refused, and alone.
    """
    key, other = uuid4().hex, {"type": "echo", "payload": {"message": "other"}}
    jobs: list[object] = [{**job, "idempotency_key": key} for job in (ECHO, ECHO, other)]
    status, answer = await bulk(running, jobs)
    first, second, third = answer["items"]

    assert (207, "accepted", "duplicate", "invalid") == (status, first["status"], second["status"], third["status"])
    assert first["id"] == second["id"]
    assert ("/problems#id_reused", 409) == (third["problem"]["type"], third["problem"]["status"])


async def test_a_request_with_a_key_can_be_sent_again_as_it_was(running: Running) -> None:
    own = str(uuid4())
    jobs = [ECHO, ECHO, {**ECHO, "id": own}, {**ECHO, "idempotency_key": own}]
    first = await bulk(running, jobs, **{"Idempotency-Key": own})
    again = await bulk(running, jobs, **{"Idempotency-Key": own})
    alone = await running.submit({**ECHO, "idempotency_key": own}, status=200)

    assert (200, 4, 200, 4) == (first[0], first[1]["accepted"], again[0], again[1]["duplicate"])
    assert [item["id"] for item in first[1]["items"]] == [item["id"] for item in again[1]["items"]]
    assert (own, alone["id"]) == (first[1]["items"][2]["id"], first[1]["items"][3]["id"])


async def test_jobs_join_the_trace_of_the_request_or_have_their_own(running: Running) -> None:
    trace = uuid4().hex
    _, joined = await bulk(running, [ECHO, ECHO], traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    _, apart = await bulk(running, [ECHO, ECHO])
    traces = [(await running.get(f"/api/v1/jobs/{i['id']}"))["trace_id"] for i in joined["items"] + apart["items"]]

    assert [trace, trace] == traces[:2]
    assert 3 == len(set(traces))


async def test_what_postgres_cannot_store_is_refused_alone(running: Running) -> None:
    """
    A statement that meets it fails whole: the batch is halved until the culprit stands alone.
    """
    await running.sql("ALTER TABLE warren.jobs ADD CONSTRAINT picky CHECK (length(body) / (tags[1] <> 'bad')::int > 0)")
    try:
        status, answer = await bulk(running, [{**ECHO, "tags": [tag]} for tag in ("good", "bad", "good")])
    finally:
        await running.sql("ALTER TABLE warren.jobs DROP CONSTRAINT picky")

    assert (207, ["accepted", "invalid", "accepted"]) == (status, [item["status"] for item in answer["items"]])


async def test_accepted_jobs_leave_the_outbox(running: Running) -> None:
    _, answer = await bulk(running, [ECHO] * 700)
    ids = [UUID(item["id"]) for item in answer["items"]]

    await eventually_gone(running, ids)


async def eventually_gone(running: Running, ids: list[UUID]) -> None:
    async def gone() -> bool:
        return not await running.sql("SELECT 1 FROM warren.outbox WHERE job_id = ANY($1)", ids)

    await eventually(gone)


async def bulk(running: Running, jobs: list[Any], **headers: str) -> tuple[int, dict[str, Any]]:
    return await sent(running, json.dumps(jobs).encode(), {"Content-Type": "application/json", **headers})


async def sent(running: Running, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    given = headers or {"Content-Type": "application/json"}
    async with running.client.post(BULK, data=body, headers=given) as response:
        return response.status, await response.json(content_type=None)


async def test_a_long_request_does_not_hold_the_loop(running: Running) -> None:
    """
    Counted is what this thread computes between two turns of a bystander, so a busy machine changes nothing.
    """
    body = json.dumps([ECHO] * 10_000).encode()
    held, over = list[float](), asyncio.Event()
    spare_what_stays()  # as a gateway does when it has started; here it is the whole test run
    bystander = asyncio.create_task(_turns(held, over))
    async with running.client.post(BULK, data=body, headers={"Content-Type": "application/json"}) as response:
        answered = await response.read()
    over.set()
    await bystander
    gc.unfreeze()

    assert (200, 10_000) == (response.status, json.loads(answered)["accepted"])
    assert max(held) < 0.05
    assert len(held) > 100


async def test_single_jobs_do_not_wait_for_a_long_request(running: Running) -> None:
    body = json.dumps([ECHO] * 10_000).encode()
    accepted = 0
    long = asyncio.create_task(sent(running, body))
    while not long.done():
        await running.submit()
        accepted += 1
    status, _ = await long

    assert 200 == status
    assert accepted >= 5  # one after the other; who waited for it would be one


async def _turns(held: list[float], over: asyncio.Event) -> None:
    before = time.thread_time()
    while not over.is_set():
        await asyncio.sleep(0)
        now = time.thread_time()
        held.append(now - before)
        before = now
