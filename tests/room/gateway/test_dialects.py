"""Requests in the words of other job systems work as they are printed; beside those words all is as strict as ever."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest

from gateway.dialects.pages import MOST_SKIPPED
from tests.room.gateway.running import ECHO, JOBS, Running, gateway
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[3]
HOST = "http://127.0.0.1:8000"
HI = {"message": "hi"}


async def curl(running: Running, line: str, status: int = 200) -> dict[str, Any]:
    """What is answered to a request as a person types it."""
    words = iter(shlex.split(line.replace(HOST, "")))
    method, path, headers, body = "", "", {}, None
    assert "curl" == next(words)
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words).encode()
        else:
            path = word
    verb = method or ("POST" if body else "GET")
    async with running.client.request(verb, path, data=body, headers=headers) as response:
        text = await response.read()
        assert status == response.status, text
        answer: dict[str, Any] = json.loads(text) if text else {}
        return answer | ({"Location": response.headers["Location"]} if "Location" in response.headers else {})


async def submitted(running: Running, path: str, status: int = 202, **fields: object) -> dict[str, Any]:
    body = shlex.quote(json.dumps(fields))
    return await curl(running, f"curl {HOST}{path} -H 'Content-Type: application/json' -d {body}", status)


async def crowd(running: Running, number: int) -> tuple[str, list[str]]:
    """A tag of so many jobs, and their ids, newest first."""
    tag = uuid4().hex
    made = [(await running.submit({**ECHO, "tags": [tag]}))["id"] for _ in range(number)]
    return tag, made[::-1]


@pytest.mark.parametrize("path", ["/jobs", "/api/v1/jobs"])
@pytest.mark.parametrize(
    "fields",
    [
        {"job_type": "echo", "payload": HI, "priority": "high", "max_retries": 2, "timeout_seconds": 60},
        {"job_type": "echo", "payload": json.dumps(HI), "priority": "high", "max_retries": 2, "timeout_seconds": 60},
        {"job_type": "echo", "payload": HI, "priority": 8, "max_retries": 2, "timeout": 60},
        {"job_type": "echo", "job_data": HI, "priority": 8, "max_retries": 2, "timeout": 60},
        {"type": "echo", "job_data": HI, "priority": "high", "max_retries": 2, "timeout": 60},
    ],
    ids=lambda fields: "-".join(f"{name}-{type(value).__name__}" for name, value in fields.items()),
)
async def test_a_submission_in_other_words_is_the_same_job(running: Running, path: str, fields: dict[str, Any]) -> None:
    told = await submitted(running, path, **fields)
    job = await running.get(told["links"]["self"])

    assert (job["id"], "queued", f"/jobs/{job['id']}") == (told["job_id"], told["status"], told["Location"])
    assert (told["id"], told["state"]) == (told["job_id"], told["status"])
    assert ("echo", HI, 8, 2, 60.0) == tuple(
        job[name] for name in ("type", "payload", "priority", "max_retries", "timeout_seconds")
    )
    assert not {"job_id", "status"} & job.keys()


@pytest.mark.parametrize(("word", "number"), [("low", 2), ("medium", 5), ("high", 8)])
async def test_priorities_may_be_words(running: Running, word: str, number: int) -> None:
    told = await submitted(running, "/jobs", job_type="echo", payload=HI, priority=word)

    assert number == (await curl(running, f"curl {HOST}/jobs/{told['job_id']}"))["priority"]


async def test_our_own_words_without_the_prefix_are_answered_in_both(running: Running) -> None:
    told = await submitted(running, "/jobs", type="echo", payload=HI)

    assert (told["id"], "queued") == (told["job_id"], told["status"])


async def test_our_own_words_with_the_prefix_are_answered_in_ours_alone(running: Running) -> None:
    told = await submitted(running, JOBS, type="echo", payload=HI)

    assert {"id", "type", "state", "created_at", "trace_id", "links", "Location"} == told.keys()
    assert f"{JOBS}/{told['id']}" == told["Location"]


async def test_a_payload_under_another_name_stays_byte_for_byte(running: Running) -> None:
    data = '{"b": 1.50,  "a": 10000000000000000000000, "timeout": "\\u00e9"}'
    told = await curl(
        running,
        f"""curl {HOST}/jobs -H 'Content-Type: application/json' -d '{{"job_type": "anything", "job_data": {data}}}'""",
        202,
    )
    async with running.client.get(f"/jobs/{told['id']}") as response:
        text = await response.text()

    assert f'"payload":{data},' in text


async def test_the_same_key_is_the_same_job_in_any_words(running: Running) -> None:
    key = uuid4().hex
    first = await submitted(running, "/jobs", job_type="echo", job_data=HI, timeout=9.0, idempotency_key=key)
    again = await running.submit({**ECHO, "timeout_seconds": 9.0, "idempotency_key": key})

    assert (first["job_id"], True) == (again["id"], again["duplicate"])


async def test_one_job_without_the_prefix(running: Running) -> None:
    accepted = await running.submit()
    ours = await running.get(accepted["links"]["self"])
    theirs = await curl(running, f"curl {HOST}/jobs/{accepted['id']}?wait=0")

    assert {**ours, "job_id": accepted["id"], "status": "queued"} == theirs


@pytest.mark.parametrize("path", ["/jobs", "/api/v1/jobs"])
@pytest.mark.parametrize("name", ["status_filter", "status"])
async def test_a_list_by_their_names_of_a_state(running: Running, path: str, name: str) -> None:
    tag, (newest, *waiting) = await crowd(running, 3)
    await running.finish(newest)
    pending = await curl(running, f"curl '{HOST}{path}?tag={tag}&{name}=pending&limit=10'")
    completed = await curl(running, f"curl '{HOST}{path}?tag={tag}&{name}=completed&limit=10'")

    assert (waiting, ["queued"] * 2) == tuple([job[k] for job in pending["jobs"]] for k in ("job_id", "status"))
    assert [newest] == [job["job_id"] for job in completed["jobs"]]
    assert pending["items"] == pending["jobs"]


async def test_failed_jobs_are_the_dead_letters_of_a_list(running: Running) -> None:
    tag, (job_id,) = await crowd(running, 1)
    await running.sql("UPDATE warren.jobs SET state = 'failed', reason = 'exhausted' WHERE id = $1", job_id)
    found = await curl(running, f"curl '{HOST}/jobs?status=dead_letter&job_type=echo&tag={tag}'")

    assert [(job_id, "failed")] == [(job["job_id"], job["status"]) for job in found["jobs"]]


@pytest.mark.parametrize("path", ["/jobs", "/api/v1/jobs"])
async def test_pages_by_number_have_totals(running: Running, path: str) -> None:
    tag, made = await crowd(running, 5)
    pages = [await curl(running, f"curl '{HOST}{path}?tag={tag}&page={page}&per_page=2'") for page in (1, 2, 3, 4)]

    assert [made[:2], made[2:4], made[4:], []] == [[job["job_id"] for job in page["jobs"]] for page in pages]
    assert {(5, 2, 3, 3)} == {tuple(page[k] for k in ("total", "per_page", "pages", "total_pages")) for page in pages}
    assert [1, 2, 3, 4] == [page["page"] for page in pages]
    assert [True, True, False, False] == [bool(page["next_cursor"]) for page in pages]


async def test_a_page_by_number_leads_on_to_our_own(running: Running) -> None:
    tag, made = await crowd(running, 3)
    first = await curl(running, f"curl '{HOST}/jobs?tag={tag}&per_page=2'")
    rest = await running.get(f"{JOBS}?tag={tag}&cursor={first['next_cursor']}")

    assert (made[2:], None) == ([job["id"] for job in rest["items"]], rest["next_cursor"])


async def test_a_full_last_page_is_counted_right(running: Running) -> None:
    tag, _ = await crowd(running, 4)
    last = await curl(running, f"curl '{HOST}/jobs?tag={tag}&page=2&per_page=2'")
    none = await curl(running, f"curl '{HOST}/jobs?tag={uuid4()}'")

    assert (4, 2, None) == (last["total"], last["pages"], last["next_cursor"])
    assert (0, 0, []) == (none["total"], none["pages"], none["jobs"])


async def test_a_list_with_the_prefix_and_our_names_is_ours(running: Running) -> None:
    tag, _ = await crowd(running, 1)
    page = await running.get(f"{JOBS}?tag={tag}&state=queued&limit=1")

    assert {"items", "next_cursor"} == page.keys()
    assert "status" not in page["items"][0]


@pytest.mark.parametrize("path", ["/jobs", "/api/v1/jobs"])
async def test_executions_are_the_attempts(running: Running, path: str) -> None:
    accepted = await running.submit()
    await running.sql(
        "INSERT INTO warren.attempts (job_id, lease, run, attempt, outcome, worker, started_at, finished_at) "
        "VALUES ($1, 1, 1, 1, 'completed', 'w', now(), now())",
        accepted["id"],
    )
    ours = await running.get(accepted["links"]["attempts"])
    theirs = await curl(running, f"curl {HOST}{path}/{accepted['id']}/executions")

    assert {**ours["items"][0], "status": "completed", "job_id": accepted["id"]} == theirs["executions"][0]
    assert theirs["items"] == theirs["executions"]


async def test_a_delete_cancels_what_lives_and_deletes_what_has_finished(running: Running) -> None:
    job_id = (await running.submit())["id"]
    cancelled = await curl(running, f"curl -X DELETE {HOST}/jobs/{job_id}", 202)
    gone = await curl(running, f"curl -X DELETE {HOST}/jobs/{job_id}", 204)

    assert ((job_id, "cancelled", f"/jobs/{job_id}"), {}) == (
        tuple(cancelled[name] for name in ("job_id", "status", "Location")),
        gone,
    )
    await curl(running, f"curl {HOST}/jobs/{job_id}", 404)


async def test_a_cancel_and_a_retry_without_the_prefix(running: Running) -> None:
    job_id = (await running.submit())["id"]
    cancelled = await curl(running, f"curl -X POST {HOST}/jobs/{job_id}/cancel")
    again = await curl(running, f"curl -X POST {HOST}/jobs/{job_id}/retry", 202)

    assert ("cancelled", "queued") == (cancelled["status"], again["status"])


@pytest.mark.parametrize(
    ("named", "says", "fields"),
    [
        ("job_type", "and type both", {"type": "echo", "job_type": "echo", "payload": HI}),
        ("job_data", "and payload both", {"job_type": "echo", "payload": HI, "job_data": HI}),
        ("timeout", "time limit", {"job_type": "echo", "payload": HI, "timeout": -1}),
        ("job_type", "echo", {"job_type": "ecoh", "payload": HI}),
        ("job_type", "not a job type's name", {"job_type": "Echo", "payload": HI}),
        ("job_type", "string", {"job_type": 7, "payload": HI}),
        ("job_data.message", "string", {"job_type": "echo", "job_data": {"message": 7}}),
        ("job_data", "object", {"job_type": "echo", "job_data": [1]}),
        ("payload", "JSON", {"job_type": "echo", "payload": "message: hi"}),
        ("payload", "missing", {"job_type": "echo"}),
        ("job_type", "missing", {"job_type": None, "payload": HI}),
        ("job_typ", "not a field", {"job_typ": "echo", "payload": HI}),
        ("max_retrys", "not a field", {"job_type": "echo", "payload": HI, "max_retrys": 3}),
        ("priority", "low, medium, high", {"job_type": "echo", "payload": HI, "priority": "urgent"}),
        ("cron_expression", "minute", {"name": "n", "type": "echo", "payload": HI, "cron_expression": "61 * * * *"}),
        ("interval_seconds", "number", {"name": "n", "job_type": "echo", "job_data": HI, "interval_seconds": "60"}),
        ("frequency", "next_run_time", {"name": "n", "type": "echo", "frequency": "once"}),
        ("next_run_time", "seconds", {"name": "echo", "frequency": "once", "payload": HI, "next_run_time": "soon"}),
        ("job_data.message", "is missing", {"name": "n", "job_type": "echo", "job_data": {}, "interval_seconds": 60}),
        ("name", "missing", {"job_type": "echo", "job_data": HI, "interval_seconds": 60}),
        ("articles[0].url", "https://", {"articles": [{"url": "example.org"}]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/jobs", "/api/v1/jobs"])
async def test_a_refusal_names_the_field_as_it_was_sent(
    running: Running, path: str, named: str, says: str, fields: dict[str, Any]
) -> None:
    problem = await submitted(running, path, 422, **fields)

    assert named == problem["field"], problem
    assert says in problem["detail"] + problem.get("remedy", ""), problem


@pytest.mark.parametrize(
    ("named", "query"),
    [
        ("page", "page=0"), ("page", "page=two"), ("page", "page=9999999999"), ("page", "page=%D9%A3"),
        ("per_page", "per_page=0"), ("per_page", "per_page=501"),
        ("page", f"page={MOST_SKIPPED}&per_page=2"),
        ("limit", "page=1&limit=2"), ("cursor", f"per_page=1&cursor={'A' * 32}"),
        ("state", "state=queued&status=failed"), ("state", "status_filter=queued&status=failed"),
        ("status_filter", "status_filter=done"), ("type", "type=echo&job_type=anything"),
        ("job_type", "job_type=Echo"), ("pages", "pages=2"), ("status", "status=queued&status=queued"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/jobs", "/api/v1/jobs"])
async def test_a_list_that_cannot_be_is_refused_by_name(running: Running, path: str, named: str, query: str) -> None:
    problem = await curl(running, f"curl '{HOST}{path}?{query}'", 422)

    assert named == problem["field"], problem


async def test_a_field_that_stands_twice_is_refused_in_any_words(running: Running) -> None:
    body = '{"job_type": "echo", "job_type": "anything", "payload": {}}'
    problem = await curl(running, f"curl {HOST}/jobs -H 'Content-Type: application/json' -d '{body}'", 422)

    assert "twice" in problem["detail"]


@pytest.mark.parametrize("path", ["/job-types", "/dead-letters", "/api/v1/executions", "/api/v1/jobs/status"])
async def test_nothing_else_is_found_without_its_prefix(running: Running, path: str) -> None:
    async with running.client.get(path) as response:
        assert response.status in (404, 422)


@pytest.mark.parametrize(
    ("line", "schema"),
    [
        (f"curl {HOST}/jobs -H 'Content-Type: application/json' -d '{json.dumps(ECHO)}'", "ReceiptInDialect"),
        (f"curl {HOST}/jobs/ID", "JobInDialect"),
        (f"curl {HOST}/jobs?per_page=2", "JobListInDialect"),
        (f"curl {HOST}/jobs?limit=2", "JobListInDialect"),
        (f"curl {HOST}/jobs/ID/executions", "AttemptListInDialect"),
        (f"curl {HOST}/jobs/ID/attempts", "AttemptListInDialect"),
    ],
)
async def test_answers_are_as_they_are_described(running: Running, line: str, schema: str) -> None:
    job_id = (await running.submit())["id"]
    await running.sql(
        "INSERT INTO warren.attempts (job_id, lease, run, attempt, outcome, worker, started_at, finished_at) "
        "VALUES ($1, 1, 1, 1, 'completed', 'w', now(), now())",
        job_id,
    )
    described = await running.get("/openapi.json")
    answer = await curl(running, line.replace("ID", job_id), 202 if " -d " in line else 200)
    judge = jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{schema}", "components": described["components"]}
    )

    judge.validate(answer)
    told = [answer, *answer.get("jobs", []), *answer.get("executions", [])]
    assert {"job_id", "status"} <= told[-1].keys()


async def test_a_job_is_submitted_where_that_is_called_so(running: Running) -> None:
    told = await submitted(running, "/jobs/submit", job_type="echo", payload=HI)

    assert "queued" == told["status"]


async def test_a_gateway_that_is_told_to_answers_in_both_everywhere(stores: Stores) -> None:
    async with gateway(stores, answer_in_dialects=True) as polyglot:
        told = await submitted(polyglot, JOBS, type="echo", payload=HI)
        job = await curl(polyglot, f"curl {HOST}{JOBS}/{told['job_id']}")
        attempts = await curl(polyglot, f"curl {HOST}{JOBS}/{told['job_id']}/attempts")
        page = await curl(polyglot, f"curl '{HOST}{JOBS}?per_page=1'")
        types = await curl(polyglot, f"curl {HOST}/api/v1/job-types")

    assert (told["job_id"], "queued", []) == (job["job_id"], job["status"], attempts["executions"])
    assert (told["job_id"], 1) == (page["jobs"][0]["job_id"], page["page"])
    assert {"items", "next_cursor"} == types.keys()


async def test_a_key_is_needed_without_the_prefix_too(stores: Stores) -> None:
    async with gateway(stores, api_keys="a-good-key-of-32-characters-or-so") as guarded:
        for line in (f"curl {HOST}/jobs", f"curl {HOST}/jobs/{uuid4()}/executions", f"curl -X POST {HOST}/jobs"):
            await curl(guarded, line, 401)
        page = await curl(guarded, f"curl {HOST}/jobs -H 'X-API-Key: a-good-key-of-32-characters-or-so'")

    assert "jobs" in page


async def test_the_requests_of_the_page_work_as_they_stand_there(running: Running) -> None:
    page = (ROOT / "docs/dialects.md").read_text().replace("\\\n", " ")
    lines = [line.removeprefix("$ ").replace("-s ", "") for line in page.splitlines() if line.startswith("$ curl ")]
    job_id = ""
    for line in lines:
        status = 202 if " -d " in line or "/retry" in line or "DELETE" in line else 200
        if " PUT " in line or '"name"' in line or '"articles"' in line:
            status = 200 if " PUT " in line else 201
        answer = await curl(running, line.replace("019a…", job_id), status)
        job_id = answer.get("job_id", job_id)

        assert {"status", "jobs", "executions"} & answer.keys(), line
    assert len(lines) == 24


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_a_crawl_in_their_words_goes_from_submission_to_deletion(running: Running, prefix: str) -> None:
    asked = {"articles": [{"url": f"https://{uuid4().hex}.example/a", "source": "wire", "category": "tech"}]}
    made = await submitted(running, f"{prefix}/jobs/submit", 201, **asked)
    one = f"{HOST}{prefix}/jobs/{made['job_id']}"
    status = await curl(running, f"curl {one}/status")
    results = await curl(running, f"curl '{one}/results?limit=1'")
    await curl(running, f"curl -X DELETE {one}", 204)
    gone = [await curl(running, f"curl {one}{asked}", 404) for asked in ("/status", "/results", "")]

    assert f"/jobs/{made['job_id']}/status" == made["Location"]
    assert ("PENDING", 1, 1, 0) == tuple(
        made[name] for name in ("status", "total_articles", "new_articles", "cached_articles")
    )
    assert (made["job_id"], "PENDING", 1, 0, 0, 1) == tuple(
        status[name] for name in ("job_id", "status", "total_articles", "completed", "failed", "pending")
    )
    assert {"created_at", "updated_at", "completed_at"} <= status.keys()
    assert ([], []) == (results["articles"], results["failed_articles"])
    assert {404} == {problem["status"] for problem in gone}


async def test_a_large_crawl_is_taken_where_jobs_are_submitted(running: Running) -> None:
    host = f"https://{uuid4().hex}.example"
    articles = [{"url": f"{host}/{number:03}/{'a' * 1_000}"} for number in range(300)]  # more than a job may have
    made = await submitted(running, "/jobs/submit", 201, articles=articles)
    problem = await submitted(running, "/jobs/submit", 413, job_type="anything", payload={"a": "a" * 300_000})

    assert 300 == made["new_articles"]
    assert "body" == problem["field"]
