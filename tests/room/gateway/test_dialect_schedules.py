"""Schedules as other job systems ask for them, over real rows."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from tests.room.gateway.running import Running
from tests.room.gateway.test_dialects import HI, HOST, curl, submitted

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("path", ["/jobs", "/api/v1/jobs"])
async def test_a_schedule_is_kept_under_the_routes_of_jobs(running: Running, path: str) -> None:
    made = await submitted(
        running, path, 201, name="report", description="d", job_type="echo", job_data=HI, cron_expression="0 9 * * 1",
        timezone="Europe/Berlin", timeout=60, max_retries=2, priority="high",
    )  # fmt: skip
    one = f"{HOST}{path}/{made['job_id']}"
    edit = "-H 'Content-Type: application/json' -d '{\"interval_seconds\": 600}'"
    edited = await curl(running, f"curl -X PUT {one} {edit}")
    paused = await curl(running, f"curl -X POST {one}/pause")
    resumed = await curl(running, f"curl -X POST {one}/resume")
    read = await curl(running, f"curl {one}")
    run = await curl(running, f"curl -X POST {HOST}/scheduled-jobs/{made['id']}/trigger", 202)
    executions = await curl(running, f"curl {one}/executions")

    assert ("active", "active", f"/scheduled-jobs/{made['id']}") == (made["state"], made["status"], made["Location"])
    assert (60.0, 2, 8) == (made["timeout_seconds"], made["max_retries"], made["priority"])
    assert made["next_run_time"]
    assert (None, 600.0, "echo") == (edited["cron_expression"], edited["interval_seconds"], edited["job_type"])
    assert ("paused", None, "active") == (paused["status"], paused["next_run_time"], resumed["status"])
    assert (made["id"], 4) == (read["id"], read["version"])
    assert [(run["job_id"], "queued")] == [(one["job_id"], one["status"]) for one in executions["executions"]]
    await curl(running, f"curl -X DELETE {one}", 204)
    await curl(running, f"curl {one}", 404)
    await curl(running, f"curl -X PUT {one} {edit}", 404)


@pytest.mark.parametrize("path", ["/scheduled-jobs", "/api/v1/scheduled-jobs"])
async def test_scheduled_jobs_are_the_schedules(running: Running, path: str) -> None:
    tag = uuid4().hex
    made = await submitted(
        running, path, 201, name="n", job_type="echo", cron_expression="*/5 * * * *", payload=HI, priority=5, tags=[tag]
    )
    ours = await running.get(f"/api/v1/schedules/{made['id']}")
    theirs = await curl(running, f"curl {HOST}{path}/{made['id']}")
    listed = await curl(running, f"curl '{HOST}{path}?tag={tag}'")
    preview = await curl(running, f"curl '{HOST}{path}/{made['id']}/preview?n=2'")

    assert {**ours, "job_id": made["id"], "status": "active", "why": theirs["why"]} == theirs
    assert [made["id"]] == [one["job_id"] for one in listed["scheduled_jobs"]]
    assert 2 == len(preview["items"])


@pytest.mark.parametrize("path", ["/jobs", "/jobs/submit", "/api/v1/jobs/submit"])
async def test_a_frequency_says_when(running: Running, path: str) -> None:
    ahead = await submitted(running, path, 201, name="echo", frequency="once", next_run_time=4_070_908_800, payload=HI)
    past = await submitted(running, path, 201, name="echo", frequency="once", next_run_time=1_700_000_000, payload=HI)
    cron = await submitted(
        running, path, 201, name="n", type="echo", frequency="cron", cron_expression="@daily", payload=json.dumps(HI)
    )

    assert ("echo", "2099-01-01T00:00:00Z") == (ahead["job_type"], ahead["next_run_time"])
    assert ("active", "0 0 * * *") == (past["status"], cron["cron_expression"].replace("@daily", "0 0 * * *"))
    assert HI == cron["payload"]
