"""The payloads that five job systems print in their documents complete here, word for word, in their own words.

Each goes in by HTTP as its source prints it, on workers with the settings of a default install; what it returns is what
`/job-types` says that it returns.  They run side by side: the whole takes as long as the longest.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import pytest_asyncio

from actors.trades.samples import sample
from deploy.defaults import keeping
from deploy.running.roles import artifacts_environ, databases_environ, outbox_environ
from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.api import FINAL, Api, client
from tests.journey.far_away import FarAway, far_away, told
from tests.journey.stack import Stack, running_stack

EXAMPLE = b"<!doctype html><title>Example Domain</title><h1>Example Domain</h1><p>This domain is for use in documents."
EMAIL = {"to": "user@example.com", "subject": "Hello", "body": "Test email"}
VIDEO = "https://example.com/video.mp4"
CACHE = "/tmp/application_cache"
PAGES = {
    ("example.com", "/"): ("text/html", EXAMPLE),
    ("httpbin.org", "/get"): told(url="https://httpbin.org/get", args={}),
    ("example.com", "/video.mp4"): ("video/mp4", sample("clip").read_bytes()),
}


@dataclass(frozen=True, slots=True)
class Printed:
    """What one of the sources prints; `returns` is some of what comes back."""

    source: str
    type: str
    payload: dict[str, Any]
    returns: dict[str, Any]

    @property
    def request(self) -> tuple[str, dict[str, Any]]:
        """Where it is sent, and the body; more retries than they print, for those that fail by chance."""
        tried = {"max_retries": 100}
        match self.source:
            case "B":
                return "/jobs", {"job_type": self.type, "payload": json.dumps(self.payload), **tried}
            case "C":
                return "/jobs", {"job_type": self.type, "payload": self.payload, "priority": "medium", **tried}
            case "D":
                return "/api/v1/jobs", {"job_type": self.type, "job_data": self.payload, **tried}
        return "/jobs", {"type": self.type, "payload": self.payload, **tried}

    def __str__(self) -> str:
        return f"{self.source} {self.type} {json.dumps(self.payload)}"


PRINTED = [
    Printed("B", "sleep", {"duration": 2}, {}),
    Printed("B", "math", {"operation": "add", "a": 5, "b": 3}, {"result": 8}),
    Printed("B", "http_request", {"url": "https://httpbin.org/get", "method": "GET"}, {"status": 200}),
    Printed("B", "echo", {"message": "Hello World"}, {"message": "Hello World"}),
    Printed("B", "random_failure", {"failure_rate": 0.3}, {}),
    Printed("C", "scrape_website", {"url": "https://example.com", "selector": "title", "timeout": 10},
            {"value": "Example Domain"}),
    Printed("C", "send_email", EMAIL, {"accepted": ["user@example.com"], "refused": []}),
    Printed("C", "send_email", {**EMAIL, "failure_rate": 0.2}, {"accepted": ["user@example.com"]}),
    Printed("C", "send_email", {**EMAIL, "failure_rate": 0.8}, {"accepted": ["user@example.com"]}),
    Printed("D", "email_notification",
            {"recipient": "user@company.com", "subject": "Weekly Report Ready",
             "body": "Your weekly report has been generated and is ready for review."},
            {"accepted": ["user@company.com"], "refused": []}),
    Printed("D", "email_notification", {"recipient": "user@company.com"}, {"accepted": ["user@company.com"]}),
    Printed("C", "process_video",
            {"video_url": VIDEO, "output_format": "mp4", "duration": 10}, {"video_codec": "h264"}),
    Printed("C", "process_video",
            {"video_url": VIDEO, "output_format": "mp4", "duration": 5}, {"video_codec": "h264"}),
    Printed("D", "data_processing",
            {"dataset": "sales_data", "operation": "aggregate",
             "parameters": {"record_count": 5000, "aggregation_type": "sum"}},
            {"records": 5000, "rows": 1}),
    Printed("D", "report_generation",
            {"report_type": "financial", "date_range": "last_month", "format": "pdf", "template": "monthly_summary"},
            {"format": "pdf", "template": "monthly_summary", "mailed": None}),
    Printed("D", "report_generation",
            {"report_type": "sales", "format": "pdf", "recipients": ["manager@company.com"]},
            {"format": "pdf", "report_type": "sales"}),
    Printed("D", "cleanup_task",
            {"cleanup_type": "temp_files", "retention_days": 7, "path": CACHE}, {"deleted": 0, "not_deleted": 0}),
    Printed("D", "backup_task",
            {"backup_type": "database", "destination": "s3://backups/db/", "compression": True, "encryption": True},
            {"encryption": "age", "compression": "zstd", "stand_in": True, "verified": "opened"}),
    Printed("D", "custom",
            {"operation": "data_migration",
             "parameters": {"source": "legacy_db", "destination": "new_db", "batch_size": 1000}},
            {"operation": "data_migration"}),
    Printed("E", "crawl_url", {"url": "https://example.com"}, {"title": "Example Domain", "read": 1}),
]  # fmt: skip

SCHEDULED = [
    {"name": "Daily mail", "job_type": "send_email", "cron_expression": "0 9 * * *", "payload": EMAIL,
     "priority": "medium"},
    {"name": "Weekly sales report", "job_type": "report_generation", "cron_expression": "0 9 * * 1",
     "job_data": {"report_type": "sales", "format": "pdf", "recipients": ["manager@company.com"]}, "timeout": 1800},
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarAway]:
    with far_away(tmp_path_factory.mktemp("world"), PAGES) as one:
        yield one


@pytest.fixture(scope="module")
def stack(places: Places, world: FarAway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """As `deploy/up` starts them, but for the way into the world, and for the time between two tries."""
    folder = tmp_path_factory.mktemp("stack")
    said = {"WARREN_ACTORS": "far_names", "WARREN_RETRY_BASE_SECONDS": "0.1", "WARREN_RETRY_MAX_SECONDS": "0.2"}
    said |= keeping.environ({}, folder, []) | keeping.cleaning({}, folder / "outbox")
    said |= outbox_environ({}, folder / "outbox") | artifacts_environ({}, folder / "artifacts")
    said |= databases_environ({}, folder / "databases")
    with running_stack(places.amqp_url, places.database_url, folder, **said, **world.environment()) as one:
        yield one


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


@pytest.fixture(scope="module")
def submitted(stack: Stack) -> dict[str, str]:
    """The id of each, all of them on their way."""
    with httpx.Client(base_url=stack.url, trust_env=False) as door:
        return {str(printed): _post(door, printed) for printed in PRINTED if _harmless(printed)}


@pytest.mark.parametrize("printed", PRINTED, ids=str)
async def test_what_is_printed_completes(api: Api, submitted: dict[str, str], printed: Printed) -> None:
    if not _harmless(printed):
        pytest.skip(f"somebody has a folder {CACHE}")
    job = await _ended(api, submitted[str(printed)])
    kind = await api.get(f"/api/v1/job-types/{job['type']}")
    attempts = await api.attempts(job["id"])

    assert "completed" == job["state"], (job["error"], attempts)
    assert printed.payload == job["payload"]
    assert printed.returns == {name: job["result"].get(name) for name in printed.returns}
    jsonschema_rs.validator_for(kind["result_schema"]).validate(job["result"])


@pytest.mark.parametrize("schedule", SCHEDULED, ids=lambda schedule: str(schedule["name"]))
async def test_what_is_printed_as_a_schedule_completes(api: Api, schedule: dict[str, Any]) -> None:
    made = await api.client.post("/scheduled-jobs", json=schedule)
    run = await api.client.post(f"/scheduled-jobs/{made.json()['id']}/trigger")
    job = await _ended(api, run.json()["job_id"])

    assert (201, "completed") == (made.status_code, job["state"]), (made.text, job["error"])
    assert schedule["job_type"] == job["type"]


async def _ended(api: Api, job_id: str) -> dict[str, Any]:
    """A machine at work with other things needs more than a minute for all films, reports and backups."""

    async def state() -> bool:
        return bool((await api.get(f"/api/v1/jobs/{job_id}?wait=30"))["state"] in FINAL)

    await eventually(state, within=240)
    return await api.job(job_id)


def _harmless(printed: Printed) -> bool:
    """Nobody's files are cleared away for a test."""
    return printed.payload.get("path") != CACHE or not Path(CACHE).exists()


def _post(door: httpx.Client, printed: Printed) -> str:
    path, body = printed.request
    response = door.post(path, json=body)

    assert 202 == response.status_code, (str(printed), response.text)
    return str(response.json()["id"])
