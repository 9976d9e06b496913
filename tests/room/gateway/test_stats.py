"""Counts, queues, workers and pauses over HTTP: what each answers, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.eventually import eventually
from tests.room.gateway.running import ECHO, Running
from wire.states import State

pytestmark = pytest.mark.asyncio(loop_scope="module")

API = "/api/v1"
WORKER = """
INSERT INTO warren.workers (session, name, host, pid, queues, types, concurrency, free_slots, consuming, version)
VALUES ($1, $2, 'h', 1, '{default}', '{echo}', 10, 8, true, '1.2.3')
"""
RUN = "UPDATE warren.jobs SET state = 'running', holder = $2, started_at = now(), attempt = 1 WHERE id = $1"


async def worker(running: Running, name: str = "w:1") -> UUID:
    session = uuid4()
    await running.sql(WORKER, session, name)
    return session


def differences(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {state: after[state] - before[state] for state in after if after[state] != before[state]}


async def test_stats_count_jobs_by_state_type_queue_and_priority(running: Running) -> None:
    before = (await running.get(f"{API}/stats"))["jobs"]
    jobs = [await running.submit({**ECHO, "priority": 3}) for _ in range(3)]
    await running.submit({"type": "anything", "payload": {}, "priority": "high", "delay": 60})
    await running.finish(jobs[0]["id"])
    after = (await running.get(f"{API}/stats"))["jobs"]

    assert {"total": 4, "pending": 3, "scheduled": 1, "queued": 2, "completed": 1} == differences(
        before["by_state"], after["by_state"]
    )
    assert {"total", "pending", *State} == set(after["by_state"])
    assert {"total": 3, "pending": 2, "queued": 2, "completed": 1} == differences(
        before["by_type"].get("echo", dict.fromkeys(after["by_state"], 0)), after["by_type"]["echo"]
    )
    assert (1, 2) == (after["by_queue"]["other"]["scheduled"], after["by_priority"]["3"]["queued"])


async def test_stats_count_workers_and_dead_letters(running: Running) -> None:
    before = await running.get(f"{API}/stats")
    session = await worker(running)
    await running.sql(
        "INSERT INTO warren.dead_letters (message_id, body, body_hash, headers, exchange, routing_key, queue, reason, "
        "detail, fingerprint, redriven_at) SELECT n::text, '', '', '{}', '', '', '', 'malformed', '', '', "
        "CASE WHEN n = 1 THEN now() END FROM generate_series(1, 3) AS n"
    )
    after = await running.get(f"{API}/stats")
    await running.sql("UPDATE warren.workers SET ended_at = now() WHERE session = $1", session)

    assert {"alive": 1, "consuming": 1, "slots": 10, "free_slots": 8} == differences(
        before["workers"], after["workers"]
    )
    assert {"waiting": 2, "redriven": 1, "by_reason": {"malformed": 2}} == after["dead_letters"]


async def test_a_queue_tells_what_waits_how_long_and_who_consumes(running: Running) -> None:
    session = await worker(running)
    for priority in (9, 9, 2):
        await running.submit({**ECHO, "priority": priority})
    await running.submit({**ECHO, "priority": 1, "delay": 60})
    await running.sql("UPDATE warren.jobs SET created_at = now() - interval '90 s' WHERE priority = 9")
    queue = await running.get(f"{API}/queues/default")
    listed = {found["name"]: found for found in (await running.get(f"{API}/queues"))["items"]}
    await running.sql("UPDATE warren.workers SET ended_at = now() WHERE session = $1", session)
    levels = {level["priority"]: level for level in queue["waiting"]}

    assert {name: value for name, value in queue.items() if name != "messages_ready"}.keys() == listed["default"].keys()
    assert [9, 2, 1] == [priority for priority in levels if priority in (9, 2, 1)]
    assert (2, True) == (levels[9]["pending"], 90 <= levels[9]["oldest_seconds"] < 120)
    assert None is levels[1]["oldest_seconds"]
    assert queue["oldest_seconds"] >= 90
    assert ["echo", "scrape_article"] == queue["types"]
    assert (1, 1, None) == (queue["workers"], queue["consumers"], queue["paused"])
    assert "/api/v1/jobs?queue=default" == queue["links"]["jobs"]


async def test_a_queue_without_a_queue_in_rabbitmq_has_no_messages_to_count(running: Running) -> None:
    assert None is (await running.get(f"{API}/queues/other"))["messages_ready"]


@pytest.mark.parametrize("what", ["queues/default", "job-types/echo"])
async def test_a_pause_says_since_when_by_whom_and_why_until_it_is_resumed(running: Running, what: str) -> None:
    path = f"{API}/{what}"
    first = await running.post(f"{path}/pause", 200, {"by": "ada", "note": "moving the mail server"})
    again = await running.post(f"{path}/pause", 200)
    shown = await running.get(path)
    resumed = [await running.post(f"{path}/resume", 200) for _ in range(2)]

    assert ("ada", "moving the mail server") == (first["paused"]["paused_by"], first["paused"]["note"])
    assert {**first["paused"], "paused_by": "local"} == again["paused"] == shown["paused"]
    assert [None, None] == [found["paused"] for found in resumed]


async def test_health_counts_what_is_paused_and_names_nothing(running: Running) -> None:
    await running.post(f"{API}/queues/default/pause", 200, {"note": "a secret"})
    health = await eventually(lambda: _health_with_a_pause(running))
    await running.post(f"{API}/queues/default/resume", 200)

    assert {"status": "paused", "queues": 1, "types": 0} == health["checks"]["pauses"]
    assert "secret" not in str(health)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("queues/nowhere/pause", None, 404, "name"),
        ("queues/nowhere%00/pause", None, 404, "name"),
        ("queues/default/pause", {"why": "?"}, 422, "why"),
        ("queues/default/pause", [], 422, "body"),
        ("queues/default/resume", {"note": 7}, 422, "note"),
        ("queues/default/pause", {"by": "x" * 129}, 422, "by"),
        ("queues/default/pause?force=1", None, 422, "force"),
        ("job-types/nothing/pause", None, 404, "name"),
        ("job-types/echo/pause", {"notes": "x"}, 422, "notes"),
        ("workers/17/drain", None, 422, "session"),
        ("workers/019a0000-0000-7000-8000-000000000000/drain", None, 404, "session"),
    ],
)
async def test_what_is_refused_names_the_field_and_the_remedy(
    running: Running, path: str, body: object, status: int, field: str
) -> None:
    problem = await running.post(f"{API}/{path}", status, body)

    assert field == problem["field"]
    assert problem["remedy"]
    assert [] == await running.sql("SELECT FROM warren.pauses")


async def test_a_worker_tells_what_it_runs_and_what_it_is(running: Running) -> None:
    session = await worker(running, "w:jobs")
    job = await running.submit()
    await running.sql(RUN, UUID(job["id"]), session)
    shown = await running.get(f"{API}/workers/{session}")
    listed = {found["session"]: found for found in (await running.get(f"{API}/workers"))["items"]}
    await running.finish(job["id"])

    assert {**shown, "heartbeat_age_seconds": 0} == {**listed[str(session)], "heartbeat_age_seconds": 0}
    assert ("alive", "1.2.3", 10, 1) == (shown["state"], shown["version"], shown["concurrency"], shown["running"])
    assert [(job["id"], "echo", 1)] == [(one["id"], one["type"], one["attempt"]) for one in shown["jobs"]]
    assert job["links"]["self"] == shown["jobs"][0]["link"]


async def test_a_list_tells_the_jobs_that_have_run_longest_and_how_many_there_are(running: Running) -> None:
    session = await worker(running, "w:many")
    jobs = await asyncio.gather(*[running.submit() for _ in range(25)])
    for age, job in enumerate(jobs):
        await running.sql(RUN, UUID(job["id"]), session)
        await running.sql(
            "UPDATE warren.jobs SET started_at = now() - $2 * interval '1 h' WHERE id = $1", UUID(job["id"]), age
        )
    listed = {found["session"]: found for found in (await running.get(f"{API}/workers"))["items"]}[str(session)]
    alone = await running.get(f"{API}/workers/{session}")
    await running.sql("UPDATE warren.jobs SET state = 'completed' WHERE holder = $1", session)

    assert (25, 20) == (listed["running"], len(listed["jobs"]))
    assert [job["id"] for job in reversed(jobs)] == [one["id"] for one in alone["jobs"]]


async def test_a_worker_is_silent_after_a_lease_and_ended_when_it_said_so(running: Running) -> None:
    session = await worker(running, "w:gone")
    states = []
    for change in ("heartbeat_at = now() - interval '1 h'", "ended_at = now()"):
        await running.sql(f"UPDATE warren.workers SET {change} WHERE session = $1", session)
        states.append((await running.get(f"{API}/workers/{session}"))["state"])
    listed = [found["session"] for found in (await running.get(f"{API}/workers"))["items"]]

    assert (["silent", "ended"], False) == (states, str(session) in listed)


async def test_a_worker_is_asked_to_drain_once_and_not_after_its_end(running: Running) -> None:
    session = await worker(running, "w:drain")
    path = f"{API}/workers/{session}/drain"
    first, again = [await running.post(path) for _ in range(2)]
    await running.sql("UPDATE warren.workers SET ended_at = now() WHERE session = $1", session)
    ended = await running.post(path, 409)

    assert ("draining", first["drain_requested_at"]) == (first["state"], again["drain_requested_at"])
    assert "/problems#wrong_state" == ended["type"]


async def _health_with_a_pause(running: Running) -> dict[str, Any] | None:
    """It remembers its answer for a moment."""
    health = await running.get("/health")
    return health if health["checks"]["pauses"]["status"] == "paused" else None
