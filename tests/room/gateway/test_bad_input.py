"""Everything a sender can get wrong: a clear 4xx that names the field and the remedy, and nothing stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from yarl import URL

from tests.room.gateway.running import ECHO, JOBS, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}
NOWHERE = "01890a5d-0000-7000-8000-000000000000"  # part of a test's name, which is the same in all processes
LETTERS = "/api/v1/dead-letters"


@dataclass(frozen=True, slots=True)
class Row:
    """One wrong request, and what the answer must name."""

    what: str
    status: int
    named: str | None
    body: bytes = b""
    method: str = "POST"
    path: str = JOBS
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    says: str = ""


def wrong(what: str, named: str, says: str = "", /, **fields: Any) -> Row:
    """A submission with these fields, refused by name."""
    return Row(what, 422, named, json.dumps({**ECHO, **fields}).encode(), says=says)


def text(what: str, named: str, body: bytes, says: str = "") -> Row:
    return Row(what, 422, named, body, says=says)


def asked(what: str, named: str, path: str, status: int = 422, says: str = "") -> Row:
    return Row(what, status, named, method="GET", path=path, says=says)


def redriving(what: str, named: str, says: str = "", /, **fields: Any) -> Row:
    """A redrive by filter with these fields, refused by name."""
    return Row(what, 422, named, json.dumps(fields).encode(), path=f"{LETTERS}/redrive", says=says)


def done_to(what: str, named: str, method: str, path: str, status: int = 422, says: str = "") -> Row:
    return Row(what, status, named, method=method, path=path, headers={}, says=says)


def inside(value: str) -> bytes:
    return f'{{"type": "anything", "payload": {{"a": {value}}}}}'.encode()


def ago(**since: float) -> str:
    return (datetime.now(UTC) - timedelta(**since)).isoformat()


def ahead(**until: float) -> str:
    return (datetime.now(UTC) + timedelta(**until)).isoformat()


ROWS = [
    text("nothing", "body", b"", "not JSON"),
    text("broken JSON", "body", b'{"type": "echo", ', "line 1"),
    text("two documents", "body", b"{} {}"),
    text("single quotes", "body", b"{'type': 'echo'}"),
    text("a list", "body", b"[]", "object"),
    text("a number", "body", b"7"),
    text("null", "body", b"null"),
    text("not UTF-8", "body", b'{"type": "\xff\xfe"}', "UTF-8"),
    text("UTF-16", "body", json.dumps(ECHO).encode("utf-16"), "UTF-8"),
    text("a byte order mark", "body", b"\xef\xbb\xbf{}"),
    text("NUL escape", "body", inside('"\\u0000"'), "u0000"),
    text("NUL in a key", "body", b'{"type": "anything", "payload": {"\\u0000": 1}}'),
    text("raw NUL", "body", inside('"\0"')),
    text("NaN", "body", inside("NaN"), "NaN"),
    text("Infinity", "body", inside("Infinity"), "Infinity"),
    text("minus Infinity", "body", inside("-Infinity")),
    text("duplicate keys", "body", b'{"type": "anything", "type": "echo", "payload": {}}', "twice"),
    text("duplicate keys inside", "body", inside('{"b": 1, "b": 2}'), "twice"),
    text("a float beyond doubles", "body", inside("1e400"), "double"),
    text("an integer of 1,001 digits", "body", inside("9" * 1_001), "digits"),
    text("depth 101", "body", inside("[" * 99 + "1" + "]" * 99), "100"),
    text("depth 20,000", "body", inside("[" * 20_000 + "]" * 20_000)),
    text("a lone surrogate", "body", inside('"\\ud800"'), "surrogate"),
    text("a lone surrogate in a key", "body", b'{"type": "anything", "payload": {"\\udc00": 1}}', "surrogate"),
    text("no type", "type", b'{"payload": {}}', "missing"),
    text("no payload", "payload", b'{"type": "echo"}', "missing"),
    wrong("a type that is a number", "type", type=7),
    wrong("a type with capitals", "type", type="Echo"),
    wrong("a type that is too long", "type", type="a" * 129),
    wrong("a type with the marker", "type", "job", type="a.job.b"),
    wrong("an unknown type", "type", "echo", type="ecoh"),
    wrong("a payload that is a list", "payload", payload=[]),
    wrong("a payload that is a number", "payload", payload=1),
    wrong("a payload against its schema", "payload.message", payload={"message": 7}),
    wrong("a payload without a field", "payload.message", "is missing", payload={}),
    wrong("a payload below its minimum", "payload.count", payload={"message": "", "count": 0}),
    wrong("an unknown field", "max_retrys", max_retrys=1),
    wrong("an unknown version", "v", v=2),
    wrong("priority 0", "priority", priority=0),
    wrong("priority 11", "priority", priority=11),
    wrong("priority 1.5", "priority", priority=1.5),
    wrong("priority true", "priority", priority=True),
    wrong("priority urgent", "priority", priority="urgent"),
    wrong("negative retries", "max_retries", max_retries=-1),
    wrong("half a retry", "max_retries", max_retries=0.5),
    wrong("a million retries", "max_retries", max_retries=1_000_000),
    wrong("a negative timeout", "timeout_seconds", timeout_seconds=-1),
    wrong("a timeout of 0", "timeout_seconds", timeout_seconds=0),
    wrong("a timeout as text", "timeout_seconds", timeout_seconds="60"),
    wrong("a timeout of years", "timeout_seconds", timeout_seconds=1e9),
    wrong("a past run_at", "run_at", "past", run_at=ago(minutes=5)),
    wrong("run_at without a zone", "run_at", "zone", run_at="2099-01-01T00:00:00"),
    wrong("run_at in words", "run_at", run_at="tomorrow"),
    wrong("run_at as a number", "run_at", run_at=4_000_000_000),
    wrong("run_at after a century", "run_at", run_at="2199-01-01T00:00:00Z"),
    wrong("run_at and delay", "delay", "run_at", run_at=ahead(hours=1), delay=1),
    wrong("a negative delay", "delay", delay=-1),
    wrong("a delay of centuries", "delay", delay=1e12),
    wrong("expired before", "expires_at", "past", expires_at=ago(seconds=1)),
    wrong("expired before it starts", "expires_at", "start", expires_at=ahead(hours=1), delay=7_200),
    wrong("tags that are text", "tags", tags="news"),
    wrong("an empty tag", "tags", tags=[""]),
    wrong("too many tags", "tags", tags=[str(n) for n in range(33)]),
    wrong("an id that is none", "id", id="17"),
    wrong("a batch that is none", "batch_id", batch_id="today"),
    wrong("an empty key", "idempotency_key", idempotency_key=""),
    wrong("a key and an id", "id", id=NOWHERE, idempotency_key="k"),
    Row("two keys", 422, "idempotency_key", json.dumps({**ECHO, "idempotency_key": "a"}).encode(),
        headers={**JSON, "Idempotency-Key": "b"}),
    Row("a key that is not ASCII", 422, "Idempotency-Key", json.dumps(ECHO).encode(),
        headers={**JSON, "Idempotency-Key": "é"}),
    Row("a body too large", 413, "body", b" " * 262_145),
    Row("a form", 415, "Content-Type", b"type=echo", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    Row("a file form", 415, "Content-Type", b"--x--", headers={"Content-Type": "multipart/form-data; boundary=x"}),
    Row("plain text", 415, "Content-Type", json.dumps(ECHO).encode(), headers={"Content-Type": "text/plain"}),
    Row("no content type", 415, "Content-Type", json.dumps(ECHO).encode(), headers={"Content-Type": ""}),
    Row("another charset", 415, "Content-Type", json.dumps(ECHO).encode(),
        headers={"Content-Type": "application/json; charset=latin-1"}),
    Row("a compressed body", 415, "Content-Encoding", b"\x1f\x8b\x08", headers={**JSON, "Content-Encoding": "gzip"}),
    Row("a wrong method", 405, None, method="PUT"),
    Row("another wrong method", 405, None, method="DELETE", path="/health"),
    Row("a preflight", 405, None, method="OPTIONS"),
    Row("a bulk submission by GET", 405, None, method="GET", path=f"{JOBS}/bulk"),
    Row("a bulk submission by DELETE", 405, None, method="DELETE", path=f"{JOBS}/bulk"),
    Row("a bulk submission by GET, without the prefix", 405, None, method="GET", path="/jobs/bulk"),
    Row("a query on a submission", 422, "dry_run", json.dumps(ECHO).encode(), path=f"{JOBS}?dry_run=1"),
    asked("no route", "", "/api/v2/jobs", 404, "/api/v2/jobs"),
    asked("a path out of the files", "", "/docs/assets/..%2f..%2fapp.py", 404),
    asked("a file that is none", "", "/docs/assets/secrets", 404),
    asked("a UUID that is none", "id", f"{JOBS}/17"),
    asked("a UUID that is none, of attempts", "id", f"{JOBS}/{'x' * 36}/attempts"),
    asked("a job that is none", "id", f"{JOBS}/{NOWHERE}", 404, NOWHERE),
    asked("attempts of none", "id", f"{JOBS}/{NOWHERE}/attempts", 404),
    asked("a type that is none", "name", "/api/v1/job-types/ecoh", 404, "ecoh"),
    asked("a wait that is none", "wait", f"{JOBS}/{NOWHERE}?wait=long"),
    asked("a wait too long", "wait", f"{JOBS}/{NOWHERE}?wait=61"),
    asked("a negative wait", "wait", f"{JOBS}/{NOWHERE}?wait=-1"),
    asked("a wait of NaN", "wait", f"{JOBS}/{NOWHERE}?wait=nan"),
    asked("an unknown parameter", "stat", f"{JOBS}?stat=queued", says="stat"),
    asked("an unknown state", "state", f"{JOBS}?state=done"),
    asked("a parameter twice", "type", f"{JOBS}?type=echo&type=echo"),
    asked("two states", "state", f"{JOBS}?state=queued&status=failed"),
    asked("a cut cursor", "cursor", f"{JOBS}?cursor=AAAA"),
    asked("a cursor that is none", "cursor", f"{JOBS}?cursor=%00%ff%22"),
    asked("a cursor beyond time", "cursor", f"{JOBS}?cursor={'f' * 32}"),
    asked("limit 0", "limit", f"{JOBS}?limit=0"),
    asked("limit 501", "limit", f"{JOBS}?limit=501"),
    asked("limit of many digits", "limit", f"{JOBS}?limit={'9' * 5_000}"),
    asked("limit behind zeros", "limit", f"{JOBS}?limit=000000001{'0' * 3}"),
    asked("limit of many digits behind zeros", "limit", f"{JOBS}?limit=000000001{'0' * 4_500}"),
    asked("limit in other digits", "limit", f"{JOBS}?limit=%D9%A3"),
    asked("NUL in a filter", "queue", f"{JOBS}?queue=a%00b"),
    asked("not UTF-8 in a filter", "tag", f"{JOBS}?tag=%ED%A0%80%00"),
    asked("an empty filter", "tag", f"{JOBS}?tag="),
    asked("a type that cannot be", "type", f"{JOBS}?type=Echo"),
    asked("a batch that is none", "batch_id", f"{JOBS}?batch_id=1"),
    asked("a schedule that is none", "schedule_id", f"{JOBS}?schedule_id=nightly"),
    asked("a time that is none", "since", f"{JOBS}?since=yesterday"),
    asked("a time without a zone", "since", f"{JOBS}?since=2030-01-01T00:00:00"),
    done_to("a cancel of nothing", "id", "POST", f"{JOBS}/{NOWHERE}/cancel", 404, NOWHERE),
    done_to("a cancel of no UUID", "id", "POST", f"{JOBS}/17/cancel"),
    done_to("a cancel with a query", "force", "POST", f"{JOBS}/{NOWHERE}/cancel?force=1"),
    done_to("a retry of nothing", "id", "POST", f"{JOBS}/{NOWHERE}/retry", 404, NOWHERE),
    done_to("a retry of no UUID", "id", "POST", f"{JOBS}/x/retry"),
    done_to("a delete of nothing", "id", "DELETE", f"{JOBS}/{NOWHERE}", 404, NOWHERE),
    done_to("a purge of nothing", "id", "DELETE", f"{JOBS}/{NOWHERE}?purge=true", 404),
    done_to("a purge that is none", "purge", "DELETE", f"{JOBS}/{NOWHERE}?purge=yes", says="true"),
    done_to("a misspelt purge", "purg", "DELETE", f"{JOBS}/{NOWHERE}?purg=true", says="purge"),
    Row("a cancel by GET", 405, None, method="GET", path=f"{JOBS}/{NOWHERE}/cancel"),
    asked("a letter that is none", "id", f"{LETTERS}/17", 404, "17"),
    asked("a letter without a number", "id", f"{LETTERS}/{NOWHERE}"),
    asked("a letter of many digits", "id", f"{LETTERS}/{'9' * 19}"),
    asked("a letter in other digits", "id", f"{LETTERS}/%D9%A3"),
    asked("a group that is none", "group", f"{LETTERS}?group=type", says="fingerprint"),
    asked("a flag that is none", "redriven", f"{LETTERS}?redriven=maybe"),
    asked("an unknown filter of letters", "state", f"{LETTERS}?state=failed", says="reason"),
    asked("NUL in a filter of letters", "reason", f"{LETTERS}?reason=a%00b"),
    asked("a cursor of jobs for letters", "cursor", f"{LETTERS}?cursor={'A' * 32}"),
    asked("a cursor beyond numbers", "cursor", f"{LETTERS}?cursor=AP__________"),
    asked("a redrive that is none", "id", f"{LETTERS}/redrive/{NOWHERE}", 404, NOWHERE),
    asked("a redrive of no UUID", "id", f"{LETTERS}/redrive/17"),
    done_to("a stop of no redrive", "id", "DELETE", f"{LETTERS}/redrive/{NOWHERE}", 404),
    done_to("a discard of nothing", "id", "DELETE", f"{LETTERS}/17", 404),
    done_to("a discard without a number", "id", "DELETE", f"{LETTERS}/x"),
    Row("a redrive by filter by DELETE", 405, None, method="DELETE", path=f"{LETTERS}/redrive"),
    done_to("a redrive of nothing", "id", "POST", f"{LETTERS}/17/redrive", 404, "17"),
    done_to("a redrive by filter without a body", "Content-Type", "POST", f"{LETTERS}/redrive", 415),
    redriving("a misspelt field of a redrive", "resaon", "reason?", resaon="malformed"),
    redriving("a rate of 0", "rate", rate=0),
    redriving("a rate of a million", "rate", rate=1_000_000),
    redriving("a rate in words", "rate", rate="fast"),
    redriving("a rate of true", "rate", rate=True),
    redriving("a dry run in words", "dry_run", dry_run="yes"),
    redriving("a reason that is a number", "reason", reason=7),
    redriving("an empty type", "type", type=""),
    redriving("since a number", "since", since=7),
    redriving("since yesterday", "since", since="yesterday"),
    Row("a redrive that is a list", 422, "body", b"[]", path=f"{LETTERS}/redrive"),
    Row("a redrive with a field twice", 422, "body", b'{"rate": 1, "rate": 2}', path=f"{LETTERS}/redrive"),
    Row("a redrive too large", 413, "body", b" " * 20_000, path=f"{LETTERS}/redrive"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what.replace(" ", "-"))
async def test_bad_input_is_refused_by_name_and_stores_nothing(running: Running, row: Row) -> None:
    before = await _stored(running)
    headers = {name: value for name, value in row.headers.items() if value}
    skip = {"Content-Type"} if not row.headers.get("Content-Type") else set()
    request = running.client.request(
        row.method, _encoded(row.path), data=row.body or None, headers=headers, skip_auto_headers=skip
    )
    async with request as response:
        problem = await response.json(content_type="application/problem+json")

    assert row.status == response.status == problem["status"], problem
    assert (row.named or None) == problem.get("field"), problem
    assert row.says in problem["detail"] + problem.get("remedy", ""), problem
    assert problem["detail"]
    assert problem["title"]
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert before == await _stored(running)
    assert {"status": "ok"} == await running.get("/health/live")


async def test_every_fault_of_a_query_is_told_at_once(running: Running) -> None:
    problem = await running.get(f"{JOBS}?state=done&limit=0&stat=1", status=422)

    assert ["state", "limit", "stat"] == [fault["field"] for fault in problem["errors"]]


async def test_depth_100_is_taken(running: Running) -> None:
    """
    The body's own two levels count: 98 lists around a number are the last that fit.
    """
    async with running.client.post(JOBS, data=inside("[" * 98 + "1" + "]" * 98), headers=JSON) as response:
        assert 202 == response.status


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", JOBS, "GET, HEAD, POST"),
        ("GET", f"{JOBS}/bulk", "POST"),  # and not a job whose id is `bulk`
        ("DELETE", f"{LETTERS}/redrive", "GET, HEAD, POST"),
        ("PATCH", f"{JOBS}/{NOWHERE}", "DELETE, GET, HEAD, PUT"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(running: Running, method: str, path: str, allowed: str) -> None:
    async with running.client.request(method, path) as response:
        assert (405, allowed) == (response.status, response.headers["Allow"])


async def test_a_chunked_body_is_counted_while_it_comes(running: Running) -> None:
    """
    It announces no length; it must be refused long before its end, and the rest not be kept.
    """

    async def endless() -> Any:
        for _ in range(10_000):
            yield b" " * 65_536

    before = await _stored(running)
    try:
        async with running.client.post(JOBS, data=endless(), headers=JSON) as response:
            assert 413 == response.status
    except ConnectionError:
        pass  # it hung up on us, which is its right

    assert before == await _stored(running)


async def test_the_size_is_counted_with_the_id_that_the_job_gets(running: Running) -> None:
    """
    With Postgres away the job goes to RabbitMQ, id and all, and the recorder has the same limit.
    """
    frame = len(json.dumps({"type": "anything", "payload": {"a": ""}}, separators=(",", ":")))
    most = 262_144 - frame

    def body(size: int) -> dict[str, object]:
        return {"type": "anything", "payload": {"a": "x" * size}}

    problem = await running.submit(body(most - 30), status=413)
    accepted = await running.submit(body(most - 60))
    (row,) = await running.sql("SELECT octet_length(body) AS size FROM warren.jobs WHERE id = $1", accepted["id"])

    assert "with its id" in problem["detail"]
    assert 262_144 - 60 < row["size"] <= 262_144


async def _stored(running: Running) -> tuple[int, int, int]:
    rows = await running.sql(
        "SELECT (SELECT count(*) FROM warren.jobs) AS jobs, (SELECT count(*) FROM warren.dead_letters) AS letters, "
        "(SELECT count(*) FROM warren.redrive_runs) AS runs"
    )
    return rows[0]["jobs"], rows[0]["letters"], rows[0]["runs"]


def _encoded(path: str) -> URL:
    """The path as written here: a client's own escaping would mend what is wrong with it."""
    return URL(path, encoded=True)
