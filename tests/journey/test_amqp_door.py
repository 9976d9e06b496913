"""Any language can publish: a job on `jobs.in` is a row and is done once, a bad one is a dead letter that says why."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import asyncpg

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

KEY = "job.echo.p5"
ECHO: dict[str, Any] = {"type": "echo", "payload": {"message": "from afar"}}


def properties(**others: Any) -> dict[str, Any]:
    """What the documentation asks of a publisher."""
    said = {"content_type": "application/json", "type": "echo", "message_id": str(uuid.uuid4()), "priority": 5}
    return {**said, "delivery_mode": 2, **others}


Bad = tuple[str, bytes, dict[str, Any], str, str, str]
REFUSED: list[Bad] = [
    ("not json", b"{", {}, KEY, "malformed", "body"),
    ("not an object", b"[]", {}, KEY, "malformed", "body"),
    ("no payload", b'{"type": "echo"}', {}, KEY, "malformed", "payload"),
    ("a typo", b'{"type": "echo", "payload": {}, "prioriti": 3}', {}, KEY, "malformed", "prioriti"),
    ("NaN", b'{"type": "echo", "payload": {"a": NaN}}', {}, KEY, "malformed", "body"),
    ("a NUL", b'{"type": "echo", "payload": {"a": "\\u0000"}}', {}, KEY, "malformed", "body"),
    ("priority 11", b'{"type": "echo", "payload": {}, "priority": 11}', {}, KEY, "malformed", "priority"),
    ("negative timeout", b'{"type": "echo", "payload": {}, "timeout_seconds": -1}', {}, KEY, "malformed", "timeout"),
    ("two priorities", b'{"type": "echo", "payload": {}, "priority": 4}', {}, KEY, "malformed", "priority"),
    ("another id", b'{"type": "echo", "payload": {}, "id": "%s"}' % str(uuid.uuid4()).encode(), {}, KEY, "malformed",
     "id"),
    ("two types", json.dumps(ECHO).encode(), {"type": "nap"}, KEY, "malformed", "type"),
    ("an unknown type in the property", json.dumps(ECHO).encode(), {"type": "ehco"}, KEY, "malformed", "type"),
    ("not JSON by its property", json.dumps(ECHO).encode(), {"content_type": "text/plain"}, KEY, "malformed",
     "content_type"),
    ("packed", json.dumps(ECHO).encode(), {"content_encoding": "gzip"}, KEY, "malformed", "content_encoding"),
    ("an idempotency key", b'{"type": "echo", "payload": {}, "idempotency_key": "k"}', {}, KEY, "malformed",
     "idempotency_key"),
    ("against the schema", b'{"type": "sleep", "payload": {"duration": -1}}', {"type": "sleep"}, "job.sleep.p5",
     "malformed", "payload.duration"),
    ("no id", json.dumps(ECHO).encode(), {"message_id": None}, KEY, "malformed", "message_id"),
    ("no UUID", json.dumps(ECHO).encode(), {"message_id": "7"}, KEY, "malformed", "message_id"),
    ("an unknown type", b'{"type": "ehco", "payload": {}}', {"type": "ehco"}, "job.ehco.p5", "unroutable", "type"),
    ("too large", b'{"type": "echo", "payload": {"a": "%s"}}' % (b"x" * 262_144), {}, KEY, "too_large", "body"),
    ("not UTF-8", b'{"type": "echo", "payload": {"a": "\xff"}}', {}, KEY, "malformed", "body"),
    ("a key of another house", json.dumps(ECHO).encode(), {}, "echo", "unroutable", "routing_key"),
    ("a mistyped key", json.dumps(ECHO).encode(), {}, "jobs.echo.p5", "unroutable", "routing_key"),
    ("no priority in the key", json.dumps(ECHO).encode(), {}, "job.echo.high", "malformed", "routing_key"),
]  # fmt: skip


async def test_a_foreign_job_is_done_exactly_once(api: Api, rabbit: Rabbit) -> None:
    said = properties()
    await rabbit.publish("jobs.in", KEY, json.dumps(ECHO).encode(), **said)
    await eventually(lambda: _row(api, said["message_id"]))
    job = await api.finished(said["message_id"])

    assert ("completed", {"message": "from afar"}, 1) == (job["state"], job["result"], job["attempt"])
    assert ["completed"] == [attempt["outcome"] for attempt in await api.attempts(job["id"])]
    assert [] == await letters(api, said["message_id"])


async def test_the_same_message_twice_is_one_job(api: Api, rabbit: Rabbit) -> None:
    said = properties(type="nap", message_id=str(uuid.uuid4()))
    body = json.dumps({"type": "nap", "payload": {"seconds": 0.3}}).encode()
    await asyncio.gather(*(rabbit.publish("jobs.in", "job.nap.p5", body, **said) for _ in range(3)))
    await eventually(lambda: _row(api, said["message_id"]))
    job = await api.finished(said["message_id"])

    assert ("completed", 1) == (job["state"], job["result"]["starts"])


async def test_with_all_workers_down_the_job_is_there_and_so_is_every_refusal(
    api: Api, stack: Stack, rabbit: Rabbit
) -> None:
    """
    The recorder needs nobody; the workers that come later meet their copies, and find that all has been said.
    """
    await asyncio.to_thread(stack.stop, "actors")
    said = properties()
    await rabbit.publish("jobs.in", KEY, json.dumps(ECHO).encode(), **said)
    row = await eventually(lambda: _row(api, said["message_id"]))
    refused = [(f"{name}, nobody there", body + b"\n", *rest) for name, body, *rest in REFUSED]
    await _publish_all(rabbit, refused)
    await eventually(lambda: _letters_of_all(api, refused))
    stack.workers()
    job = await api.finished(said["message_id"], within=60)
    await eventually(lambda: asyncio.to_thread(stack.consuming, 2), within=60)
    await _pass_markers(api, rabbit)

    assert ("queued", "completed") == (row["state"], job["state"])
    await _check_letters(api, refused)


async def test_headers_of_a_foreign_service_do_no_harm(api: Api, rabbit: Rabbit) -> None:
    """
    A copy routed to a second queue, a message that RabbitMQ may forget, a header that drops a retry: none of it counts.
    """
    headers = {"CC": ["job.echo.p1"], "x-death": [{"count": 7, "queue": "delay.01", "reason": "expired"}]}
    said = properties(type="flaky", headers=headers, delivery_mode=1, priority=None)
    body = json.dumps({"type": "flaky", "payload": {"times": 2}}).encode()
    await rabbit.publish("jobs.in", "job.flaky.p5", body, **said)
    await eventually(lambda: _row(api, said["message_id"]))
    job = await api.finished(said["message_id"])

    assert ("completed", 3) == (job["state"], job["attempt"])


async def test_each_bad_message_becomes_one_dead_letter_that_names_the_field(api: Api, rabbit: Rabbit) -> None:
    """
    The recorder and a worker both meet it, and keep one letter between them; markers sent after all of them prove that
    both have.
    """
    await _publish_all(rabbit, REFUSED)
    await _pass_markers(api, rabbit)
    await eventually(lambda: _letters_of_all(api, REFUSED))

    await _check_letters(api, REFUSED)


async def test_an_id_that_belongs_to_another_job_is_refused(api: Api, rabbit: Rabbit) -> None:
    job_id = await api.submit("echo", {"message": "mine"})
    await api.finished(job_id)
    await rabbit.publish("jobs.in", KEY, json.dumps(ECHO).encode(), **properties(message_id=job_id))
    found = await eventually(lambda: letters(api, job_id))

    assert ["id_reused"] == [letter["reason"] for letter in found]
    assert {"message": "mine"} == (await api.job(job_id))["result"]


async def letters(api: Api, message_id: str) -> list[asyncpg.Record]:
    return await api.sql("SELECT * FROM dead_letters WHERE message_id = $1", message_id)


async def _row(api: Api, job_id: str) -> Any:
    rows = await api.sql("SELECT * FROM jobs WHERE id = $1", job_id)
    return rows and rows[0]


async def _is_done(api: Api, job_id: str) -> bool:
    row = await _row(api, job_id)
    return bool(row and row["state"] == "completed")


async def _publish_all(rabbit: Rabbit, bad: list[Bad]) -> None:
    """The sender's `app_id` tells them apart."""
    for name, body, said, key, _, _ in bad:
        await rabbit.publish("jobs.in", key, body, **properties(app_id=name, **said))


async def _pass_markers(api: Api, rabbit: Rabbit) -> None:
    """All that was sent before has been met by whoever meets it."""
    for marker in (properties(type="tell"), properties()):
        body = json.dumps({"type": marker["type"], "payload": {}}).encode()
        await rabbit.publish("jobs.in", f"job.{marker['type']}.p5", body, **marker)
        await eventually(lambda: _is_done(api, marker["message_id"]))  # noqa: B023 - called before the next turn
    await eventually(lambda: _drained(rabbit))


async def _letters_of(api: Api, bad: list[Bad]) -> list[asyncpg.Record]:
    rows = await api.sql("SELECT headers -> 'properties' ->> 'app_id' AS name, * FROM dead_letters ORDER BY id")
    return [row for row in rows if row["name"] in {name for name, *_ in bad}]


async def _letters_of_all(api: Api, bad: list[Bad]) -> bool:
    return {row["name"] for row in await _letters_of(api, bad)} == {name for name, *_ in bad}


async def _check_letters(api: Api, bad: list[Bad]) -> None:
    rows = await _letters_of(api, bad)
    letters = [(row["name"], row["reason"], row["body"]) for row in rows]
    details = {row["name"]: row["detail"] for row in rows}

    assert sorted((name, reason, body) for name, body, _, _, reason, _ in bad) == sorted(letters)
    assert {} == {name: details[name] for name, *_, field in bad if field not in details[name]}
    assert [] == await api.sql("SELECT 1 FROM jobs WHERE id::text = ANY($1)", [row["message_id"] for row in rows])


async def _drained(rabbit: Rabbit) -> bool:
    return not any([await rabbit.ready(queue) for queue in ("births", "dead", "unrouted", "work.default")])
