"""A queue, a job type and a worker are stopped and started by people, while everything else goes on."""

from __future__ import annotations

import asyncio
import itertools
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.eventually import eventually
from tests.journey.api import Api, instant
from tests.journey.stack import ROOT, Stack

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Command:
    """A request as docs/operating.md prints it."""

    method: str
    url: str
    body: str | None
    headers: dict[str, str]


def printed(session: str = "") -> list[Command]:
    page = (ROOT / "docs" / "operating.md").read_text()
    found = []
    for line in re.findall(r"^\$ curl -s (.*)$", page, re.MULTILINE):
        words = shlex.split(line.replace("$SESSION", session))
        after = dict(itertools.pairwise(words))
        headers = dict([after["-H"].split(": ")]) if "-H" in after else {}
        (url,) = [word.removeprefix("http://127.0.0.1:8000") for word in words if word.startswith("http:")]
        found.append(Command(after.get("-X", "GET"), url, after.get("-d"), headers))
    return found


async def run(api: Api, command: Command) -> httpx.Response:
    return await api.client.request(command.method, command.url, content=command.body, headers=command.headers)


async def post(api: Api, path: str, status: int = 200, **body: str) -> dict[str, Any]:
    response = await api.client.post(f"{API}/{path}", json=body)

    assert status == response.status_code, response.text
    return dict(response.json())


async def consumers(api: Api, queue: str) -> int:
    return int((await api.get(f"{API}/queues/{queue}"))["consumers"])


async def ready(api: Api, queue: str) -> int:
    return int((await api.get(f"{API}/queues/{queue}"))["messages_ready"])


async def workers(api: Api) -> dict[str, dict[str, Any]]:
    """Those that consume, by session."""
    items = (await api.get(f"{API}/workers"))["items"]
    return {found["session"]: found for found in items if found["state"] == "alive" and found["consuming"]}


async def replaced(api: Api, session: str) -> bool:
    now = await workers(api)
    return session not in now and len(now) == 2


async def test_a_paused_queue_is_left_alone_while_others_go_on(api: Api) -> None:
    await api.finished(await api.submit("tell"))
    await post(api, "queues/letters/pause", by="ada", note="the printer is on fire")
    try:
        await eventually(lambda: _equals(consumers(api, "letters"), 0))
        letters = [await api.submit("tell", {"n": n}) for n in range(5)]
        await api.all_finished(*[await api.submit("echo") for _ in range(5)])
        await eventually(lambda: _equals(ready(api, "letters"), 5))
        queue = await api.get(f"{API}/queues/letters")
        attempts = [await api.attempts(letter) for letter in letters]
    finally:
        await post(api, "queues/letters/resume")
    done = await api.all_finished(*letters)

    assert ("ada", "the printer is on fire") == (queue["paused"]["paused_by"], queue["paused"]["note"])
    assert (5, 5, 0, 2) == (queue["jobs"]["queued"], queue["messages_ready"], queue["consumers"], queue["workers"])
    assert [[]] * 5 == attempts
    assert [("completed", 1)] * 5 == [(job["state"], job["attempt"]) for job in done]
    await eventually(lambda: _equals(consumers(api, "letters"), 2))


async def test_a_paused_type_starts_no_job_and_holds_up_no_other(api: Api) -> None:
    """
    It shares its queue with others, and one worker takes what the other would.
    """
    running = await api.submit("nap", {"seconds": 1.0})
    await eventually(lambda: api.has_started(running))
    paused = await post(api, "job-types/nap/pause")
    try:
        held = [await api.submit("nap", priority=9) for _ in range(5)]
        gone = await api.submit("nap", delay=0.5)
        await eventually(lambda: _held(api, 6))
        echoes = await api.all_finished(*[await api.submit("echo", priority=1) for _ in range(5)])
        finished = await api.finished(running)
        cancelled = await post(api, f"jobs/{gone}/cancel")
        waiting = [await api.job(job_id) for job_id in held]
    finally:
        resumed = await post(api, "job-types/nap/resume")
    done = await api.all_finished(*held)
    await eventually(lambda: _held(api, 0))

    assert ("local", None) == (paused["paused"]["paused_by"], resumed["paused"])
    assert {"completed"} == {job["state"] for job in (*echoes, finished)}
    assert [("queued", 0)] * 5 == [(job["state"], job["attempt"]) for job in waiting]
    assert [("completed", 1, {"starts": 1})] * 5 == [
        (job["state"], job["attempt"], {"starts": job["result"]["starts"]}) for job in done
    ]
    assert ("cancelled", "cancelled") == (cancelled["state"], (await api.job(gone))["state"])


async def test_a_drained_worker_finishes_what_it_runs_and_another_takes_its_place(
    api: Api, stack: Stack, tmp_path: Path
) -> None:
    """
    The other knows from its first moment what is paused.
    """
    door = tmp_path / "door"
    job_id = await api.submit("hold", {"opens": str(door)})
    before, holder = await eventually(lambda: _holder(api, job_id))
    (command,) = [command for command in printed(holder["session"]) if command.url.endswith("/drain")]
    await post(api, "queues/letters/pause")
    try:
        await eventually(lambda: _equals(consumers(api, "letters"), 0))
        letter = await api.submit("tell")
        asked = (await run(api, command)).json()
        door.touch()
        job = await api.finished(job_id)
        await eventually(lambda: replaced(api, holder["session"]), within=60)
        (heir,) = [found for session, found in (await workers(api)).items() if session not in before]
        ended, waits = await api.get(f"{API}/workers/{holder['session']}"), await api.job(letter)
    finally:
        await post(api, "queues/letters/resume")
    await api.finished(letter)

    assert ("draining", "ended") == (asked["state"], ended["state"])
    assert ("completed", 1, holder["pid"]) == (job["state"], job["attempt"], job["result"]["pid"])
    assert instant(ended["ended_at"]) >= instant(job["finished_at"])
    assert ["completed"] == [attempt["outcome"] for attempt in await api.attempts(job_id)]
    assert (["letters"], "queued") == (heir["paused_queues"], waits["state"])
    await eventually(lambda: asyncio.to_thread(stack.consuming, 2))


async def test_the_counts_come_to_what_the_rows_say(api: Api) -> None:
    """
    With all processes at work: each part of a job's life is counted, and folded meanwhile.
    """
    ids = [
        await api.submit("flaky", {"times": 1}),
        await api.submit("hopeless"),
        await api.submit("returns", {"kind": "nan"}),
    ]
    await api.all_finished(*ids)
    await api.submit("echo", delay=3600)

    async def agree() -> bool:
        """What came before in this house may still be on its way, and end between the two questions."""
        rows = await api.sql("SELECT state, count(*) AS jobs FROM jobs GROUP BY state")
        by_state = (await api.get(f"{API}/stats"))["jobs"]["by_state"]
        return {row["state"]: row["jobs"] for row in rows} == {
            state: jobs for state, jobs in by_state.items() if jobs and state not in ("total", "pending")
        }

    await eventually(agree)


async def test_the_commands_of_the_page_run_as_printed(api: Api) -> None:
    """
    One after the other, as they stand there; at the end nothing is paused.
    """
    commands = [command for command in printed() if not command.url.endswith("/drain")]
    statuses = [(await run(api, command)).status_code for command in commands]

    assert [200] * 8 == statuses
    assert [] == await api.sql("SELECT FROM pauses")


async def _equals(asked: Any, value: object) -> bool:
    return bool(await asked == value)


async def _holder(api: Api, job_id: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any]] | None:
    """All workers, and the one that runs this job, once it is told."""
    all_of_them = await workers(api)
    found = [one for one in all_of_them.values() if job_id in [job["id"] for job in one["jobs"]]]
    return (all_of_them, found[0]) if found else None


async def _held(api: Api, messages: int) -> bool:
    (row,) = await api.sql("SELECT count(*) AS held FROM outbox WHERE held_for = 'nap'")
    return bool(row["held"] == messages)
