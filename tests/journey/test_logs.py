"""What a job logs while it runs is kept with its attempt, and can be read beside the job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.journey.api import JOBS, Api
from tests.journey.stack import Stack


async def logs(api: Api, job_id: str, query: str = "") -> list[dict[str, Any]]:
    return list((await api.get(f"{JOBS}/{job_id}/logs{query}"))["items"])


@pytest.mark.parametrize("kind", ["talkative", "talkative_thread"])
async def test_lines_of_structlog_and_of_the_standard_library_are_kept_in_order_and_masked(
    api: Api, kind: str, stack: Stack
) -> None:
    job_id = await api.submit(kind, {"lines": 2, "tag": "a"})
    job = await api.finished(job_id)
    answer = await api.get(job["links"]["logs"])
    lines = answer["items"]

    assert [("said", "info", None), ("said", "info", None)] == [
        (line["event"], line["level"], line["logger"]) for line in lines[:2]
    ]
    assert [{"tag": "a", "number": n, "password": "***"} for n in range(2)] == [line["fields"] for line in lines[:2]]
    assert ("asked a with api_key=***", "warning", "shop.stock") == tuple(
        lines[2][name] for name in ("event", "level", "logger")
    )
    assert [(1, 1), (1, 2), (1, 3)] == [(line["attempt"], line["number"]) for line in lines]
    assert (job_id, "completed", 0, job["trace_id"]) == tuple(
        answer[name] for name in ("id", "state", "dropped", "trace_id")
    )
    assert {(job_id, job["trace_id"], 1)} == {
        (line["job_id"], line["trace_id"], line["attempt"]) for line in written(stack, job_id)
    }


def written(stack: Stack, job_id: str) -> list[dict[str, Any]]:
    """The lines of the workers' own log that name the job."""
    text = (stack.folder / "actors.log").read_text()
    assert "hunter2" not in text
    ours = [line for line in text.splitlines() if job_id in line]  # Dramatiq's master writes others, as it likes
    return [line for line in map(json.loads, ours) if line.get("job_id") == job_id]


async def test_jobs_that_run_at_the_same_time_keep_their_lines_apart(api: Api) -> None:
    kinds = ["talkative", "talkative_thread"] * 10
    ids = [await api.submit(kind, {"lines": 20, "tag": str(n)}) for n, kind in enumerate(kinds)]
    await api.all_finished(*ids)
    tags = [{line["fields"].get("tag") for line in await logs(api, job_id)} - {None} for job_id in ids]

    assert [{str(n)} for n in range(len(ids))] == tags


async def test_each_attempt_has_its_lines(api: Api) -> None:
    job_id = await api.submit("talkative", {"fails": True, "tag": "again"})
    await api.finished(job_id)

    assert [1, 1, 2, 2] == [line["attempt"] for line in await logs(api, job_id)]
    assert [2, 2] == [line["attempt"] for line in await logs(api, job_id, "?attempt=2")]
    assert [(2, 2)] == [(line["attempt"], line["number"]) for line in await logs(api, job_id, "?limit=1")]


async def test_a_long_talk_keeps_its_end_and_says_how_much_is_gone(api: Api) -> None:
    job_id = await api.submit("talkative", {"lines": 1_200, "tag": "x"})
    await api.finished(job_id)
    answer = await api.get(f"{JOBS}/{job_id}/logs")

    assert 701 == answer["dropped"]
    assert list(range(702, 1_202)) == [line["number"] for line in answer["items"]]


@pytest.mark.parametrize("kind", ["talkative", "talkative_thread"])
async def test_a_running_job_is_followed_to_its_end(api: Api, kind: str, tmp_path: Path) -> None:
    door = tmp_path / "door"
    job_id = await api.submit(kind, {"tag": "live", "waits_for": str(door)})
    events: list[str] = []
    async with api.client.stream("GET", f"{JOBS}/{job_id}/logs?follow=1", timeout=60) as response:
        async for line in response.aiter_lines():
            events += [line.removeprefix("event: ")] if line.startswith("event: ") else []
            if len(events) == 2:
                door.touch()  # both lines came while it ran

    assert ["line", "line", "end"] == events
