"""A job walks through every room: accepted over HTTP, done by a worker, remembered by Postgres."""

from __future__ import annotations

from typing import Any

import pytest

from tests.eventually import eventually
from tests.journey.api import FINAL, JOBS, Api
from tests.journey.stack import Stack

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


async def test_an_echo_completes_and_its_outcome_is_in_postgres(api: Api) -> None:
    job_id = await api.submit("echo", {"message": "hello", "big": 2**70})
    job = await api.finished(job_id)
    rows = await api.sql("SELECT state, result, attempt, finished_at FROM jobs WHERE id = $1", job_id)
    attempts = await api.sql("SELECT outcome FROM attempts WHERE job_id = $1", job_id)

    assert ("completed", {"message": "hello", "big": 2**70}, 1) == (job["state"], job["result"], job["attempt"])
    assert ("completed", '{"message":"hello","big":1180591620717411303424}') == (rows[0]["state"], rows[0]["result"])
    assert ["completed"] == [row["outcome"] for row in attempts]


async def test_a_job_can_be_read_the_moment_it_is_accepted(api: Api) -> None:
    """
    GET right after POST never answers 404.
    """
    for number in range(50):
        accepted = await api.client.post(JOBS, json={"type": "echo", "payload": {"number": number}})
        read = await api.client.get(accepted.headers["Location"])

        assert (202, 200) == (accepted.status_code, read.status_code)


async def test_the_outbox_is_empty_when_all_is_done(api: Api) -> None:
    """
    What was published is not published again.
    """
    await api.finished(await api.submit("echo"))

    await eventually(lambda: _empty(api))


async def test_progress_is_seen_while_a_job_runs(api: Api) -> None:
    """
    One that was over before anybody had looked is followed by another.
    """
    ids = [await api.submit("sleep", {"duration": 2.2})]

    async def halfway() -> Any:
        job = await api.job(ids[-1])
        if job["state"] in FINAL:
            ids.append(await api.submit("sleep", {"duration": 2.2}))
        return job["state"] == "running" and job["progress"] and 0 < job["progress"]["fraction"] < 1 and job

    seen = await eventually(halfway)
    done = await api.finished(seen["id"])

    assert " of 2.2 s" in seen["progress"]["note"]
    assert ("completed", 1.0) == (done["state"], done["progress"]["fraction"])
    assert seen["worker"] == done["worker"] is not None


@pytest.mark.parametrize(
    ("payload", "state", "result"),
    [
        ({"operation": "add", "a": 2, "b": 3}, "completed", {"result": 5}),
        ({"operation": "power", "a": 2, "b": 100}, "completed", {"result": 2**100}),
        ({"operation": "divide", "a": 1, "b": 0}, "failed", None),
    ],
)
async def test_math(api: Api, payload: dict[str, Any], state: str, result: object) -> None:
    job = await api.finished(await api.submit("math", payload))

    assert (state, result) == (job["state"], job["result"])
    assert (None if state == "completed" else "permanent") == job["reason"]


async def test_random_failure_fails_the_same_attempts_for_the_same_seed(api: Api) -> None:
    certain = await api.submit("random_failure", {"failure_rate": 1.0}, max_retries=0)
    never = await api.submit("random_failure", {"failure_rate": 0.0})
    failed, done = await api.all_finished(certain, never)

    assert ("failed", "exhausted", "ChanceFailure") == (failed["state"], failed["reason"], failed["error"]["type"])
    assert {"attempt": 1} == done["result"]


async def test_the_trace_of_the_request_is_the_jobs_and_reaches_the_actor_and_its_retry(api: Api) -> None:
    response = await api.client.post(
        JOBS, json={"type": "flaky", "payload": {"times": 1}}, headers={"traceparent": TRACEPARENT}
    )
    job = await api.finished(response.json()["id"])
    first, second = await api.attempts(job["id"])

    assert [TRACE_ID] * 3 == [response.json()["trace_id"], job["trace_id"], job["result"]["trace_id"]]
    assert ("retry", f"attempt 1 in {TRACE_ID}") == (first["outcome"], first["error"]["message"])
    assert "completed" == second["outcome"]


async def test_a_job_without_a_trace_begins_one(api: Api) -> None:
    job = await api.finished(await api.submit("flaky", {"times": 0}))

    assert job["trace_id"] == job["result"]["trace_id"]
    assert 32 == len(job["trace_id"])


async def test_a_sync_actor_runs_on_a_thread_of_the_worker(api: Api, stack: Stack) -> None:
    job = await api.finished(await api.submit("sync_nap", {"seconds": 0.01}))

    assert job["result"]["pid"] in stack.worker_pids()


async def _empty(api: Api) -> bool:
    return not await api.sql("SELECT 1 FROM outbox LIMIT 1")
