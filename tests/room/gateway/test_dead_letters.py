"""/api/v1/dead-letters: what nobody could do, by page and by cause, and the ways back."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from persistence.letters.dead_letters import DeadLetter, keep
from tests.eventually import eventually
from tests.room.gateway.running import ECHO, Running, gateway
from wire.message import Incoming
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

LETTERS = "/api/v1/dead-letters"
REDRIVES = f"{LETTERS}/redrive"
GOOD = json.dumps(ECHO).encode()


async def letter(
    running: Running,
    body: bytes = b"{",
    *,
    reason: str | None = None,
    detail: str = "body: is not JSON",
    message_id: str | None = None,
    headers: Mapping[str, object] | None = None,
    **said: Any,
) -> tuple[int, str]:
    """The number and the reason (one of its own, unless given) of a fresh letter."""
    reason = reason or f"r_{uuid4().hex}"
    message = Incoming(body, "jobs.in", "job.echo.p5", "births", headers or {}, message_id or str(uuid4()), **said)
    await keep(running.room.database, [DeadLetter(message, reason, detail)])
    rows = await running.sql("SELECT max(id) AS id FROM warren.dead_letters WHERE reason = $1", reason)
    return rows[0]["id"], reason


async def test_a_letter_has_exactly_these_fields(running: Running) -> None:
    number, reason = await letter(running, message_id="17")
    (listed,) = (await running.get(f"{LETTERS}?reason={reason}"))["items"]
    opened = await running.get(f"{LETTERS}/{number}")

    assert [
        "id", "job_id", "message_id", "type", "reason", "detail", "fingerprint", "size_bytes", "exchange",
        "routing_key", "queue", "created_at", "redriven_at", "redriven_as", "links",
    ] == list(listed)  # fmt: skip
    assert ["body", "encoding", "cut", "properties", "headers"] == [name for name in opened if name not in listed]
    assert listed == {name: opened[name] for name in listed}
    assert (number, None, "17", "echo", 1, None) == tuple(
        listed[name] for name in ("id", "job_id", "message_id", "type", "size_bytes", "redriven_at")
    )
    assert {"self": f"{LETTERS}/{number}", "redrive": f"{LETTERS}/{number}/redrive", "job": None} == listed["links"]


async def test_text_is_shown_as_text(running: Running) -> None:
    number, _ = await letter(running, 'é"\x00'.encode(), headers={"a": [1, None]}, priority=3)
    opened = await running.get(f"{LETTERS}/{number}")

    assert ('é"\x00', "utf-8", False) == (opened["body"], opened["encoding"], opened["cut"])
    assert ({"a": [1, None]}, {"priority": 3}) == (opened["headers"], opened["properties"])


async def test_other_bytes_are_shown_as_base64(running: Running) -> None:
    number, _ = await letter(running, b"\xff\x00\xfe")
    opened = await running.get(f"{LETTERS}/{number}")

    assert (b"\xff\x00\xfe", "base64") == (base64.b64decode(opened["body"]), opened["encoding"])


async def test_pages_follow_one_another(running: Running) -> None:
    reason = f"r_{uuid4().hex}"
    made = [(await letter(running, reason=reason))[0] for _ in range(5)]
    seen: list[int] = []
    cursor = ""
    while True:
        page = await running.get(f"{LETTERS}?reason={reason}&limit=2{cursor}")
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert list(reversed(made)) == seen


async def test_causes_are_grouped(running: Running) -> None:
    reason = f"r_{uuid4().hex}"
    first, _ = await letter(running, GOOD, reason=reason, detail="priority: 11 is none")
    second, _ = await letter(running, GOOD, reason=reason, detail="priority: 99 is none")
    other, _ = await letter(running, GOOD, reason=reason, detail="v: 2 is none")
    await running.post(f"{LETTERS}/{first}/redrive")
    groups = (await running.get(f"{LETTERS}?group=fingerprint&reason={reason}"))["items"]
    (page,) = (answer := await running.get(f"{LETTERS}?group=fingerprint&reason={reason}&limit=1"))["items"]
    (rest,) = (
        await running.get(f"{LETTERS}?group=fingerprint&reason={reason}&limit=1&cursor={answer['next_cursor']}")
    )["items"]

    assert [(other, 1, 1), (second, 2, 1)] == [(g["sample"]["id"], g["count"], g["waiting"]) for g in groups]
    assert groups == [page, rest]
    assert (reason, "echo") == (groups[1]["reason"], groups[1]["type"])
    found = (await running.get(f"{LETTERS}?fingerprint={groups[1]['fingerprint']}"))["items"]
    assert [second, first] == [item["id"] for item in found]
    assert [first] == [i["id"] for i in (await running.get(f"{LETTERS}?reason={reason}&redriven=true"))["items"]]


async def test_a_letter_is_discarded(running: Running) -> None:
    number, _ = await letter(running)
    await running.delete(f"{LETTERS}/{number}")

    await running.get(f"{LETTERS}/{number}", status=404)
    await running.post(f"{LETTERS}/{number}/redrive", status=404)


async def test_redriven_as_it_is_it_keeps_its_bytes_its_id_and_its_trace(running: Running) -> None:
    trace, body = uuid4().hex, b'{"payload": {"message": "hi",  "n": 1.10}, "type": "echo", "tags": ["a"]}'
    job_id = str(uuid4())
    number, _ = await letter(
        running, body, message_id=job_id, headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}, priority=5
    )
    async with running.client.post(f"{LETTERS}/{number}/redrive") as response:
        job = await response.json()
    stored = await running.sql("SELECT body FROM warren.jobs WHERE id = $1", job_id)
    marked = await running.get(f"{LETTERS}/{number}")

    assert (202, job["links"]["self"]) == (response.status, response.headers["Location"])
    assert (job_id, "queued", 5, ["a"], trace, number) == tuple(
        job[name] for name in ("id", "state", "priority", "tags", "trace_id", "redriven_from")
    )
    assert body == stored[0]["body"]
    assert (job_id, job["links"]["self"]) == (marked["redriven_as"], marked["links"]["job"])
    assert marked["redriven_at"]
    await eventually(lambda: _published(running, job_id))


async def test_a_second_redrive_is_told_the_job_of_the_first(running: Running) -> None:
    number, _ = await letter(running, GOOD)
    job = await running.post(f"{LETTERS}/{number}/redrive")
    problem = await running.post(f"{LETTERS}/{number}/redrive", status=409)

    assert "/problems#wrong_state" == problem["type"]
    assert job["id"] in problem["detail"]


async def test_an_id_that_has_a_job_makes_a_linked_job(running: Running) -> None:
    accepted = await running.submit()
    number, _ = await letter(running, GOOD, reason="id_reused", message_id=accepted["id"])
    job = await running.post(f"{LETTERS}/{number}/redrive")
    marked = await running.get(f"{LETTERS}/{number}")

    assert job["id"] != accepted["id"]
    assert (accepted["id"], job["id"], number) == (marked["job_id"], marked["redriven_as"], job["redriven_from"])


@pytest.mark.parametrize(
    ("body", "said", "field"),
    [
        (b"{", {}, "body"),
        (b'{"type": "echo", "payload": {"message": 7}}', {}, "payload.message"),
        (b'{"type": "ecko", "payload": {}}', {"type": "ecko"}, "type"),
        (GOOD, {"type": "anything"}, "type"),
        (GOOD, {"content_encoding": "gzip"}, "content_encoding"),
        (b'{"type": "echo", "payload": {"message": ""}, "priority": 11}', {}, "priority"),
        (b'{"type": "echo", "payload": {"message": ""}, "expires_at": "2001-01-01T00:00:00Z"}', {}, "expires_at"),
        (b'{"type": "echo", "payload": {"message": ""}, "idempotency_key": "k"}', {}, "idempotency_key"),
        (b"\xff", {}, "body"),
    ],
)
async def test_what_is_still_bad_is_refused_by_name(
    running: Running, body: bytes, said: dict[str, Any], field: str
) -> None:
    number, _ = await letter(running, body, **said)
    problem = await running.post(f"{LETTERS}/{number}/redrive", status=422)

    assert field == problem["field"]
    assert (await running.get(f"{LETTERS}/{number}"))["redriven_at"] is None


async def test_an_edited_body_is_a_new_job(running: Running) -> None:
    number, _ = await letter(running, b'{"type": "echo", "payload": {"mesage": "hi"}}')
    job = await running.post(f"{LETTERS}/{number}/redrive", body={**ECHO, "max_retries": 1})

    assert ({"message": "hi"}, 1, number) == (job["payload"], job["max_retries"], job["redriven_from"])


async def test_an_edited_body_may_name_the_letter_s_id(running: Running) -> None:
    """
    What is copied from the letter, mended and sent back carries the id of a job that may stand already.
    """
    free, taken = str(uuid4()), (await running.submit())["id"]
    jobs = []
    for named in (free, taken):
        number, _ = await letter(running, message_id=named)
        jobs.append(await running.post(f"{LETTERS}/{number}/redrive", body={**ECHO, "id": named}))

    assert [True, False] == [job["id"] == named for job, named in zip(jobs, (free, taken), strict=True)]


async def test_an_edited_body_is_judged_as_a_submission(running: Running) -> None:
    number, _ = await letter(running)
    problem = await running.post(f"{LETTERS}/{number}/redrive", status=422, body={"type": "echo", "payload": {}})
    async with running.client.post(f"{LETTERS}/{number}/redrive", data=b"type=echo") as response:
        assert 415 == response.status

    assert "payload.message" == problem["field"]


async def test_fifty_redrives_at_once_make_one_job(running: Running) -> None:
    number, _ = await letter(running, GOOD)

    async def redrive() -> int:
        async with running.client.post(f"{LETTERS}/{number}/redrive") as response:
            return response.status

    statuses = await asyncio.gather(*[redrive() for _ in range(50)])

    assert [1, 49] == [statuses.count(status) for status in (202, 409)]


async def test_a_redrive_by_filter_goes_through_its_letters(running: Running) -> None:
    reason = f"r_{uuid4().hex}"
    good = [(await letter(running, GOOD, reason=reason))[0] for _ in range(3)]
    bad, _ = await letter(running, b"{", reason=reason)
    untouched, _ = await letter(running, GOOD)
    begun = await running.post(REDRIVES, body={"reason": reason, "rate": 100})
    ended = await eventually(lambda: _ended(running, begun))
    left = await running.get(f"{LETTERS}?reason={reason}&redriven=false")

    assert ("running", 4, 100.0) == (begun["state"], begun["letters"], begun["rate"])
    assert ("finished", 3, 1) == (ended["state"], ended["redriven"], ended["refused"])
    assert f"letter {bad}: body: is not JSON" in ended["last_refusal"]
    assert [bad] == [item["id"] for item in left["items"]]
    for number in good:
        opened = await running.get(f"{LETTERS}/{number}")
        assert "queued" == (await running.get(opened["links"]["job"]))["state"]
    assert (await running.get(f"{LETTERS}/{untouched}"))["redriven_at"] is None
    assert begun["id"] in [run["id"] for run in (await running.get(REDRIVES))["items"]]


async def test_a_rehearsal_says_what_would_become_of_them(running: Running) -> None:
    reason = f"r_{uuid4().hex}"
    good, bad = await letter(running, GOOD, reason=reason), await letter(running, b"{", reason=reason)
    said = await running.post(REDRIVES, status=200, body={"reason": reason, "dry_run": True})
    (refusal,) = said["refusals"]

    assert (True, 2, 2, 1) == (said["dry_run"], said["letters"], said["judged"], said["refused"])
    assert (bad[0], "body") == (refusal["letter"], refusal["field"])
    assert (await running.get(f"{LETTERS}/{good[0]}"))["redriven_at"] is None


async def test_a_redrive_keeps_to_its_rate_and_can_be_stopped(running: Running) -> None:
    """
    One letter at once, the next a hundred seconds later: it is stopped before.
    """
    reason = f"r_{uuid4().hex}"
    for _ in range(3):
        await letter(running, GOOD, reason=reason)
    begun = await running.post(REDRIVES, body={"reason": reason, "rate": 0.01})
    await eventually(lambda: _redriven(running, begun))
    stopped = await running.delete(begun["links"]["self"], status=200)
    marker = await running.post(REDRIVES, body={"reason": f"r_{uuid4().hex}"})
    await eventually(lambda: _ended(running, marker))

    assert stopped
    assert ("stopped", 1) == (stopped["state"], stopped["redriven"])
    assert stopped == await running.get(begun["links"]["self"])
    assert stopped == await running.delete(begun["links"]["self"], status=200)


async def test_another_gateway_goes_on_with_a_run(running: Running, stores: Stores) -> None:
    """
    The first one dies in the middle: its run is taken up when it has been silent, and no letter is redriven twice.
    """
    reason = f"r_{uuid4().hex}"
    for _ in range(5):
        await letter(running, GOOD, reason=reason)
    async with gateway(stores) as other:
        begun = await other.post(REDRIVES, body={"reason": reason, "rate": 0.01})
        await eventually(lambda: _redriven(running, begun))
        # before it goes, for whoever takes the run up reads its rate then
        await running.sql("UPDATE warren.redrive_runs SET rate = 1000 WHERE id = $1", begun["id"])
    ended = await eventually(lambda: _ended(running, begun))

    assert ("finished", 5, 0) == (ended["state"], ended["redriven"], ended["refused"])
    jobs = await running.sql(
        "SELECT count(DISTINCT redriven_as) AS n FROM warren.dead_letters WHERE reason = $1", reason
    )
    assert 5 == jobs[0]["n"]


async def test_a_failed_job_is_listed_under_its_letter_s_name(running: Running) -> None:
    """
    `dead_letter` is a state to ask for: failed jobs keep their bytes, and a retry by hand is their way back.
    """
    tag = uuid4().hex
    accepted = await running.submit({**ECHO, "tags": [tag]})
    await running.sql("UPDATE warren.jobs SET state = 'failed', reason = 'exhausted' WHERE id = $1", accepted["id"])
    (job,) = (await running.get(f"/api/v1/jobs?state=dead_letter&tag={tag}"))["items"]

    assert "queued" == (await running.post(f"{job['links']['self']}/retry"))["state"]


async def _published(running: Running, job_id: str) -> bool:
    return not await running.sql("SELECT 1 FROM warren.outbox WHERE job_id = $1", job_id)


async def _ended(running: Running, run: dict[str, Any]) -> dict[str, Any] | None:
    found = await running.get(run["links"]["self"])
    return None if found["state"] == "running" else found


async def _redriven(running: Running, run: dict[str, Any]) -> bool:
    return bool((await running.get(run["links"]["self"]))["redriven"])
