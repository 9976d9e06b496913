"""Schedules through all processes: made over HTTP, fired by the clock, done by the workers, and told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.eventually import eventually
from tests.journey.api import Api, instant
from tests.journey.stack import ROOT, Stack

SCHEDULES = "/api/v1/schedules"
PAGE = (ROOT / "docs" / "schedules.md").read_text()
PASTES = [block.split("```")[0] for block in PAGE.split("```sh\n")[1:]]
ECHO = {"name": "journey", "job_type": "echo", "payload": {"message": "hi"}}


async def made(api: Api, **said: Any) -> str:
    response = await api.client.post(SCHEDULES, json=ECHO | said)

    assert 201 == response.status_code, response.text
    return str(response.json()["links"]["self"])


async def did(api: Api, path: str, status: int = 200, **said: Any) -> dict[str, Any]:
    response = await api.client.post(path, json=said)

    assert status == response.status_code, response.text
    return dict(response.json())


async def completed(api: Api, path: str, number: int, kind: str = "") -> list[dict[str, Any]]:
    """Its runs, or those of one kind, newest first, once so many jobs of them have completed."""

    async def enough() -> list[dict[str, Any]] | None:
        items: list[dict[str, Any]] = (await api.get(f"{path}/runs?limit=100"))["items"]
        runs = [run for run in items if kind in ("", run["kind"])]
        return runs if sum(run["state"] == "completed" for run in runs) >= number else None

    return await eventually(enough, within=60) or []


async def test_a_schedule_makes_a_job_for_each_second_until_it_is_paused(api: Api) -> None:
    path = await made(api, interval_seconds=1, overlap="allow", tags=["ticks"])
    try:
        runs = await completed(api, path, 3)
        job = await api.job(runs[-1]["job_id"])
        paused = await did(api, f"{path}/pause", note="enough of it")
        standing = await api.get(f"{path}/runs?limit=500")
        triggered = await did(api, f"{path}/trigger", 202)  # a marker: what else would have fired has done so by then
        await api.finished(triggered["job_id"])
        after = await api.get(f"{path}/runs?limit=500")
        resumed = await did(api, f"{path}/resume")
        again = await completed(api, path, len(after["items"]) + 1)
    finally:
        await api.client.delete(path)
    due = [instant(run["due_at"]) for run in runs]

    assert {timedelta(seconds=1)} == {late - early for late, early in pairwise(due)}
    assert {"due"} == {run["kind"] for run in runs}
    assert (path.rpartition("/")[2], runs[-1]["due_at"]) == (job["schedule_id"], job["due_at"])
    assert ("paused", None) == (paused["state"], paused["next_run_time"])
    assert "enough of it" in paused["why"]["sentence"]
    assert [triggered["job_id"]] == [
        run["job_id"] for run in after["items"] if run["due_at"] not in {one["due_at"] for one in standing["items"]}
    ]
    assert "active" == resumed["state"]
    assert len(again) > len(after["items"])


async def test_what_is_shown_is_what_fires(api: Api) -> None:
    """Asked for from when it was made on, so that it does not matter how soon after that."""
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)  # it is made before, on a busy machine too
    path = await made(
        api, cron_expression="* * * * * *", timezone="Asia/Kathmandu", jitter_seconds=0.2, overlap="allow",
        starts_at=begins.isoformat(), ends_at=(begins + timedelta(seconds=2)).isoformat(),
    )  # fmt: skip
    shown = await api.get(f"{path}/preview?after={(await api.get(path))['created_at']}")
    runs = await completed(api, path, len(shown["items"]))
    schedule = await api.get(path)

    assert [(run["due_at"], run["fires_at"]) for run in shown["items"]] == [
        (run["due_at"], run["fires_at"]) for run in reversed(runs)
    ]
    assert not shown["more"]
    assert ("ended", "over", None) == (schedule["state"], schedule["why"]["cause"], schedule["next_run_time"])


async def test_a_job_knows_its_due_time_and_the_next_ones(api: Api) -> None:
    path = await made(api, job_type="punctual", payload={}, cron_expression="* * * * * *", max_runs=1)
    (run,) = await completed(api, path, 1)
    told = (await api.job(run["job_id"]))["result"]
    by_hand = await api.finished(await api.submit("punctual"))
    due, *following = map(instant, (told["due_at"], *told["following"]))
    schedule = await api.get(path)

    assert (path.rpartition("/")[2], instant(run["due_at"])) == (told["schedule"], due)
    assert [due + timedelta(seconds=1), due + timedelta(seconds=2)] == following
    assert {"schedule": None} == by_hand["result"]
    assert ("ended", "all_runs_made", 1) == (schedule["state"], schedule["why"]["cause"], schedule["fired_count"])


async def test_a_job_in_other_words_is_run_once(api: Api) -> None:
    """As its sender prints it: a name, a frequency and a time in seconds; one that has passed is now."""
    response = await api.client.post(
        "/jobs",
        json={"name": "echo", "frequency": "once", "next_run_time": 1_700_000_000, "payload": {"message": "hi"}},
    )
    (run,) = await completed(api, f"{SCHEDULES}/{response.json()['job_id']}", 1)
    executions = await api.get(f"/jobs/{response.json()['job_id']}/executions")

    assert 201 == response.status_code
    assert [(run["job_id"], "completed")] == [(one["job_id"], one["status"]) for one in executions["executions"]]


async def test_a_past_hour_is_filled_once(api: Api) -> None:
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hour = {"since": (until - timedelta(minutes=59)).isoformat(), "until": until.isoformat()}
    day = (until - timedelta(days=1)).isoformat()
    path = await made(api, cron_expression="*/20 * * * *", starts_at=day, overlap="allow")
    counted = await did(api, f"{path}/backfill", dry_run=True, **hour)
    await did(api, f"{path}/backfill", 202, **hour)
    runs = await completed(api, path, 3, "backfill")
    again = await did(api, f"{path}/backfill", dry_run=True, **hour)
    await api.client.delete(path)

    assert (3, 3, 0) == (counted["runs"], len(runs), again["runs"])
    assert [until - timedelta(minutes=20 * back) for back in range(3)] == [instant(run["due_at"]) for run in runs]


async def test_the_pastes_run_as_printed(api: Api, stack: Stack) -> None:
    said = await asyncio.to_thread(
        subprocess.run, ["bash", "-euo", "pipefail", "-c", "\n".join(f"{one}\necho" for one in PASTES)],
        env={**os.environ, "WARREN_URL": stack.url, "no_proxy": "*"}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    answers = [answer for answer in json_lines(said.stdout) if answer]
    sample = json.loads(PAGE.split("```json\n")[1].split("```")[0])

    assert (0, 4) == (said.returncode, len(PASTES)), said.stderr
    assert [] == [answer for answer in answers if "status" in answer]  # no problem among them
    preview = next(answer for answer in answers if "sentence" in answer)
    assert (sample["sentence"], sample["items"], sample["warnings"][0]) == (
        preview["sentence"], preview["items"], preview["warnings"][0],
    )  # fmt: skip


def json_lines(text: str) -> list[dict[str, Any]]:
    """All JSON objects of what was printed, one behind the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    text = text.strip()
    while at < len(text):
        answer, end = decoder.raw_decode(text, at)
        found.append(answer)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found
