"""/api/v1/batches…: all or nothing, and every refusal names its place."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.openapi.batches import BATCHES_SHOWN, batch_operations
from persistence.batches import batch_orders
from persistence.batches.batch_ends import fold
from tests.eventually import eventually
from tests.room.gateway.running import ECHO, JOBS, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

BATCHES = "/api/v1/batches"
BAD = {"type": "echo", "payload": {"message": 7}}
THANKS = {"type": "anything", "payload": {"to": "ada"}}
NOBODY = {"type": "nobody", "payload": {}}
EMPTY = {"total": 0, "pending": 0, "running": 0, "completed": 0, "failed": 0, "cancelled": 0, "expired": 0}


async def make(running: Running, status: int = 202, **said: Any) -> dict[str, Any]:
    return await running.post(BATCHES, status, said)


async def made(running: Running, number: int, **said: Any) -> str:
    """The path of a batch with so many jobs."""
    return str((await make(running, jobs=[ECHO] * number, **said))["links"]["self"])


async def sent(running: Running, body: bytes, status: int, path: str = BATCHES, **headers: str) -> dict[str, Any]:
    given = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with running.client.post(path, data=body, headers=given) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        assert status == response.status, answer
    return answer


async def end_all(running: Running, path: str, state: str) -> None:
    """As the workers' record would, and the scheduler's fold."""
    await running.sql(
        "UPDATE warren.jobs SET state = $2, finished_at = now() WHERE batch_id = $1", path.rpartition("/")[2], state
    )
    while (await fold(running.room.database))[0]:
        pass


async def test_a_batch_is_answered_with_its_counters(running: Running) -> None:
    asked = {"name": "import", "tags": ["a"], "on_complete": THANKS, "on_failure": {"type": "anything"}}
    answer = await make(running, jobs=[ECHO, {**ECHO, "priority": "high"}], **asked)
    jobs = await running.get(answer["links"]["jobs"])

    assert answer == await running.get(answer["links"]["self"])
    assert ("import", ["a"], "running", THANKS) == (
        answer["name"], answer["tags"], answer["state"], answer["on_complete"],
    )  # fmt: skip
    assert {**EMPTY, "total": 2, "pending": 2} == answer["counts"]
    assert {"fraction": 0.0, "ended": 0} == answer["progress"]
    assert [5, 8] == sorted(job["priority"] for job in jobs["items"])
    assert {answer["id"]} == {job["batch_id"] for job in jobs["items"]}


async def test_its_jobs_are_published(running: Running) -> None:
    """More than one group of them, and without the sweep's help."""
    path = await made(running, 1_200)
    left = "SELECT 1 FROM warren.outbox o JOIN warren.jobs j ON j.id = o.job_id WHERE j.batch_id = $1"

    async def all_are_out() -> bool:
        return not await running.sql(left, path.rpartition("/")[2])

    await eventually(all_are_out)


async def test_one_job_that_cannot_be_taken_refuses_all_and_every_fault_has_its_place(running: Running) -> None:
    batch_id = str(uuid4())
    answer = await make(running, 422, id=batch_id, jobs=[ECHO, BAD, NOBODY, ECHO, 7])

    assert "jobs[1].payload.message" == answer["field"]
    assert ["jobs[1].payload.message", "jobs[2].type", "jobs[4]"] == [fault["field"] for fault in answer["errors"]]
    await running.get(f"{BATCHES}/{batch_id}", 404)
    assert [] == (await running.get(f"{JOBS}?batch_id={batch_id}"))["items"]


@pytest.mark.parametrize(
    ("said", "field", "status"),
    [
        ({"jobz": []}, "jobz", 422),
        ({"name": ""}, "name", 422),
        ({"name": "a\x07"}, "name", 422),
        ({"name": 7}, "name", 422),
        ({"tags": "a"}, "tags", 422),
        ({"open": "yes"}, "open", 422),
        ({"id": "b1"}, "id", 422),
        ({"jobs": {}}, "jobs", 422),
        ({"jobs": [{**ECHO, "batch_id": str(uuid4())}]}, "jobs[0].batch_id", 422),
        ({"jobs": [{**ECHO, "unique": True}]}, "jobs[0].unique", 422),
        ({"on_complete": "echo"}, "on_complete", 422),
        ({"on_complete": {"payload": {}}}, "on_complete.type", 422),
        ({"on_complete": NOBODY}, "on_complete.type", 422),
        ({"on_failure": BAD}, "on_failure.payload.message", 422),
        ({"on_failure": {**THANKS, "id": str(uuid4())}}, "on_failure.id", 422),
        ({"on_failure": {**THANKS, "run_at": "2030-01-01T00:00:00Z"}}, "on_failure.run_at", 422),
        ({"on_complete": {"type": "anything", "payload": {"batch": 1}}}, "on_complete.payload.batch", 422),
    ],
)
async def test_what_is_refused_names_its_field(running: Running, said: dict[str, Any], field: str, status: int) -> None:
    answer = await make(running, status, **said)

    assert field == answer["field"]
    assert field.partition(".")[0] in answer["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'{"open":true', "body"),
        (b'{"open":true} {}', "body"),
        (b'{"name":"a","name":"b"}', "name"),
        (b'{"name":"a","name":"a"}', "name"),
        (b'{ "jobs" : [1] , "open":true, "jobs" : [12] }', "jobs"),
        (b'{"jobs": [12], "open": true, "jobs": [1]}', "jobs"),
        (b'{"na\\u006de":"a","name":"b"}', "name"),
        (b'{"on_complete":{"type":"anything","type":"anything"}}', "on_complete"),
        (b'{"on_complete":{"type":"anything","payload":{"x":NaN}}}', "body"),
        (b'{"jobs":[{"type":"echo","type":"echo","payload":{"message":""}}]}', "jobs[0]"),
        (b'{"name":"\xff"}', "name"),
    ],
)
async def test_what_one_reader_would_see_otherwise_is_refused(running: Running, body: bytes, field: str) -> None:
    assert field == (await sent(running, body, 422))["field"]


async def test_space_and_escapes_are_no_fault(running: Running) -> None:
    body = b' {\n "n\\u0061me" : "x\\"y" ,\r\n\t"jobs" : [ ] , "open" : null, "tags":["}"]}\n'
    answer = await sent(running, body, 202)

    assert ('x"y', ["}"]) == (answer["name"], answer["tags"])


async def test_the_same_request_makes_one_batch(running: Running) -> None:
    body = json.dumps({"jobs": [ECHO, ECHO]}).encode()
    first = await sent(running, body, 202, Idempotency_Key="monday")
    second = await sent(running, body, 200, Idempotency_Key="monday")
    other = await sent(running, b'{"jobs":[]}', 409, Idempotency_Key="monday")

    assert (first["id"], 2, True) == (second["id"], second["counts"]["total"], second["duplicate"])
    assert "duplicate" not in first
    assert "id" == other["field"]


async def test_a_job_whose_id_is_taken_refuses_the_batch(running: Running) -> None:
    taken = (await running.submit())["id"]
    answer = await make(running, 409, jobs=[ECHO, {**ECHO, "id": taken}])

    assert ("jobs[1].id", "/problems#id_reused") == (answer["field"], answer["type"])


async def test_more_jobs_than_a_request_may_hold_are_refused(running: Running) -> None:
    body = b'{"jobs":[' + b",".join([b"1"] * 10_001) + b"]}"

    assert "jobs" == (await sent(running, body, 413))["field"]


async def test_jobs_come_to_an_open_batch_by_every_door_until_it_is_closed(running: Running) -> None:
    path = str((await make(running, open=True, jobs=[ECHO]))["links"]["self"])
    batch_id = path.rpartition("/")[2]
    child = {**ECHO, "batch_id": batch_id}
    early = await running.submit({**child, "id": str(uuid4())})
    bulk = await running.post(f"{JOBS}/bulk", 200, [child, child])
    lines = "\n".join([json.dumps(ECHO)] * 3).encode()
    added = await sent(running, lines, 200, f"{path}/jobs", Content_Type="application/x-ndjson")
    closed = await running.post(f"{path}/close", 200)
    again = await running.submit({**child, "id": early["id"]}, 200)
    late = await running.submit(child, 409)
    late_bulk = await running.post(f"{JOBS}/bulk", 207, [child])
    late_added = await running.post(f"{path}/jobs", 409, [ECHO])

    assert (2, 3) == (bulk["accepted"], added["accepted"])
    assert ("running", 7, True) == (closed["state"], closed["counts"]["total"], closed["closed_at"] is not None)
    assert again["duplicate"]
    assert ("batch_id", "id") == (late["field"], late_added["field"])
    assert ("invalid", 409) == (late_bulk["items"][0]["status"], late_bulk["items"][0]["problem"]["status"])
    assert closed == await running.post(f"{path}/close", 200)


async def test_a_job_that_names_no_batch_of_ours_is_refused(running: Running) -> None:
    answer = await running.submit({**ECHO, "batch_id": str(uuid4())}, 422)

    assert "batch_id" == answer["field"]
    assert "POST /api/v1/batches" in answer["remedy"]


async def test_a_batch_that_has_ended_names_its_callback(running: Running) -> None:
    path = await made(running, 2, on_complete=THANKS)
    await end_all(running, path, "completed")
    batch = await running.get(path)
    callback = await running.get(batch["links"]["callback"])

    assert ("completed", 1, {"fraction": 1.0, "ended": 2}) == (batch["state"], batch["ends"], batch["progress"])
    assert {"id": batch["id"], "name": None, "state": "completed", "end": 1} == {
        name: callback["payload"]["batch"][name] for name in ("id", "name", "state", "end")
    }
    assert "ada" == callback["payload"]["to"]
    assert batch["callback_id"] == callback["id"]


async def test_a_batch_is_cancelled_with_its_jobs(running: Running) -> None:
    path = await made(running, 600)
    answer = await running.post(f"{path}/cancel")
    await end_all(running, path, "cancelled")
    ended = await running.get(path)
    again = await running.post(f"{path}/cancel", 200)

    assert (600, True) == (answer["counts"]["cancelled"], answer["cancel_requested_at"] is not None)
    assert "cancelled" == ended["state"]
    assert ended == again


async def test_what_has_completed_cannot_be_cancelled(running: Running) -> None:
    path = await made(running, 1)
    await end_all(running, path, "completed")

    assert "completed" in (await running.post(f"{path}/cancel", 409))["detail"]


async def test_failed_jobs_of_a_batch_are_sent_again(running: Running) -> None:
    path = await made(running, 3)
    await end_all(running, path, "failed")
    answer = await running.post(f"{path}/retry")

    assert ("running", 3, 0) == (answer["state"], answer["counts"]["pending"], answer["counts"]["failed"])


async def test_other_jobs_are_sent_again_when_they_are_meant(running: Running) -> None:
    path = await made(running, 2)
    await end_all(running, path, "cancelled")
    none = await running.post(f"{path}/retry", 409)
    wrong = await running.post(f"{path}/retry?state=completed", 422)
    answer = await running.post(f"{path}/retry?state=all")

    assert ("state", "state") == (none["field"], wrong["field"])
    assert 2 == answer["counts"]["pending"]


async def test_a_batch_that_has_ended_is_deleted_with_its_jobs(running: Running) -> None:
    path = await made(running, 2)
    jobs = (await running.get(path))["links"]["jobs"]
    living = await running.delete(path, 202)
    await end_all(running, path, "cancelled")
    await running.delete(path)
    await running.get(path, 404)
    await running.delete(path, 404)

    assert living is not None
    assert 2 == living["counts"]["cancelled"]
    assert [] == (await running.get(jobs))["items"]
    assert [] == await batch_orders.given(running.room.database, 500)


async def test_batches_are_listed(running: Running) -> None:
    ids = [(await make(running, name="listed", tags=["l"], open=number == 2))["id"] for number in range(3)]
    first = await running.get(f"{BATCHES}?name=listed&tag=l&limit=2")
    rest = await running.get(f"{BATCHES}?name=listed&limit=2&cursor={first['next_cursor']}")
    opened = await running.get(f"{BATCHES}?name=listed&state=open")
    wrong = await running.get(f"{BATCHES}?state=done", 422)

    assert ids[::-1] == [batch["id"] for batch in [*first["items"], *rest["items"]]]
    assert rest["next_cursor"] is None
    assert [ids[2]] == [batch["id"] for batch in opened["items"]]
    assert "completed" in wrong["remedy"]


@pytest.mark.parametrize(
    ("method", "path"),
    [(o.method, o.path) for o in batch_operations({}, {}) if "{id}" in o.path],
    ids=lambda value: str(value).rpartition("}/")[2],
)
async def test_a_batch_that_is_none_is_not_found(running: Running, method: str, path: str) -> None:
    async def status(batch_id: str) -> int:
        body = [ECHO] if path.endswith("/jobs") else None
        async with running.client.request(method, path.replace("{id}", batch_id), json=body) as response:
            return response.status

    assert (404, 422) == (await status(str(UUID(int=1))), await status("b1"))


async def test_the_examples_of_the_description_are_taken(running: Running) -> None:
    for name, example in BATCHES_SHOWN.items():
        body = json.loads(json.dumps(example["value"]).replace('"echo"', '"anything"'))

        assert name
        assert body.get("name") == (await make(running, **body))["name"]
