"""A job through SQL: as quick as the others, and what its payload's schema refuses ends with the field's name."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
from datetime import UTC, datetime

import asyncpg
import pytest

from deploy.servers import postgres
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import ROOT, Stack

PAGE = (ROOT / "docs" / "sql.md").read_text()
JOBS = 24
MOMENTS = 250  # milliseconds


async def test_a_job_starts_within_moments_of_its_commit(api: Api, stack: Stack) -> None:
    """
    From the commit to the start: notification, sweep, RabbitMQ, claim.  How long that takes is printed; what is held is
    that without the notification it takes most of a second more, on a machine of any speed.
    """
    lags: dict[str, list[float]] = {"on": [], "off": []}
    caller = await asyncpg.connect(stack.database_url)
    await api.finished(str(await caller.fetchval("SELECT warren.submit('echo', '{}')")))
    for number, notify in enumerate(["on", "on", "off"] * (JOBS // 3)):
        await caller.execute(f"SET warren.notify = {notify}")
        job = await caller.fetchval("SELECT warren.submit('echo', json_build_object('number', $1::int))", number)
        committed = datetime.now(UTC)
        await api.finished(str(job))
        (row,) = await api.sql("SELECT started_at FROM attempts WHERE job_id = $1", job)
        lags[notify].append((row["started_at"] - committed).total_seconds() * 1_000)
    await caller.close()
    p50, worst, without = statistics.median(lags["on"]), max(lags["on"]), statistics.median(lags["off"])
    print(f"commit to start: p50 {p50:.1f} ms, worst {worst:.1f} ms; without the notification p50 {without:.1f} ms")

    assert p50 + MOMENTS < without


async def test_a_job_that_was_rolled_back_never_runs(api: Api, stack: Stack) -> None:
    """
    A marker that is submitted after it, and done, says that the first one does not come.
    """
    caller = await asyncpg.connect(stack.database_url)
    transaction = caller.transaction()
    await transaction.start()
    gone = await caller.fetchval("SELECT warren.submit('nap', '{\"seconds\": 0}')")
    await transaction.rollback()
    marker = await caller.fetchval("SELECT warren.submit('nap', '{\"seconds\": 0}')")
    await caller.close()
    await api.finished(str(marker))

    assert str(marker) in stack.witness.read_text()
    assert str(gone) not in stack.witness.read_text()
    assert 404 == (await api.client.get(f"/api/v1/jobs/{gone}")).status_code


async def test_without_a_notification_the_poll_starts_it(api: Api, stack: Stack) -> None:
    caller = await asyncpg.connect(stack.database_url)
    await caller.execute("SET warren.notify = off")
    job = await api.finished(str(await caller.fetchval("SELECT warren.submit('echo', '{}')")), within=30)
    await caller.close()

    assert "completed" == job["state"]


async def test_a_payload_that_its_type_refuses_fails_for_good_and_names_the_field(api: Api, stack: Stack) -> None:
    """
    Postgres cannot judge by JSON Schema, so this door finds out when the job is to start; no retry is burned on it.
    """
    caller = await asyncpg.connect(stack.database_url)
    job = await caller.fetchval("SELECT warren.submit('nap', '{\"seconds\": \"long\"}')")
    await caller.close()
    ended = await api.finished(str(job))

    assert ("failed", 1) == (ended["state"], ended["attempt"])
    assert "seconds" in str(ended["error"])


async def test_a_request_that_is_repeated_through_the_other_door_is_the_same_job(api: Api, stack: Stack) -> None:
    caller = await asyncpg.connect(stack.database_url)
    by_sql = await caller.fetchval(
        "SELECT warren.submit('echo', '{\"order\":42}', idempotency_key => 'both', timeout_seconds => 30)"
    )
    await caller.close()
    request = {"type": "echo", "payload": {"order": 42}, "idempotency_key": "both", "timeout_seconds": 30}
    answer = await api.client.post("/api/v1/jobs", json=request)

    assert (str(by_sql), True) == (answer.json()["id"], answer.json()["duplicate"])


@pytest.mark.parametrize("paste", [block.split("```")[0] for block in PAGE.split("```sql\n")[1:]])
async def test_the_pastes_run_as_printed(api: Api, stack: Stack, paste: str) -> None:
    """
    By psql, one after the other; what they submit is done.
    """
    before = {row["id"] for row in await api.sql("SELECT id FROM jobs")}
    said = await asyncio.to_thread(
        subprocess.run, [_psql(), "-X", "-v", "ON_ERROR_STOP=1", stack.database_url],
        input=paste, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    made = [row["id"] for row in await api.sql("SELECT id FROM jobs") if row["id"] not in before]

    assert (0, "") == (said.returncode, "".join(line for line in said.stderr.splitlines(True) if "NOTICE" not in line))
    assert bool(made) == ("warren.submit(" in paste)
    await eventually(lambda: _all_are_done(api, made))


def _psql() -> str:
    """On the path, or beside the server."""
    beside = [str(found.folder / "psql") for found in postgres.find()]
    return next(filter(shutil.which, ["psql", *beside]))


async def _all_are_done(api: Api, jobs: list[object]) -> bool:
    rows = await api.sql("SELECT 1 FROM jobs WHERE id = ANY($1) AND state <> 'completed'", jobs)
    return not rows
