"""Workers die while they upload, and the object store goes away: what is listed is whole, and nothing else stays."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.eventually import eventually
from tests.journey.api import JOBS, Api
from tests.journey.stack import Stack


async def test_a_worker_that_is_killed_while_it_uploads_leaves_nothing(api: Api, stack: Stack, tmp_path: Path) -> None:
    job_id = await api.submit("leaves_slowly", {"opens": str(tmp_path / "open")})
    await eventually(lambda: f"{job_id} uploading" in stack.witness.read_text())
    await eventually(lambda: any("#" in name for name in _files(stack, job_id)))
    for pid in stack.worker_pids():
        os.kill(pid, signal.SIGKILL)
    during = (await api.get(f"{JOBS}/{job_id}/artifacts"))["items"]
    await asyncio.to_thread((tmp_path / "open").touch)
    job = await api.finished(job_id)
    listed = (await api.get(f"{JOBS}/{job_id}/artifacts"))["items"]
    await api.sql("UPDATE artifacts SET sweep_after = now() WHERE job_id = $1 AND state <> 'kept'", job_id)
    await eventually(lambda: len(_files(stack, job_id)) == 1)

    assert ([], "completed") == (during, job["state"])
    assert [("film", 11_000_001)] == [(one["name"], one["size_bytes"]) for one in listed]
    assert 11_000_001 == len((await api.client.get(listed[0]["links"]["self"])).content)


async def test_with_the_store_away_jobs_are_tried_again_and_a_result_stays_in_its_row(api: Api, stack: Stack) -> None:
    with _store_away(stack):
        job_id = await api.submit("leaves", {"text": "page"}, max_retries=50)
        bearable = await api.submit("returns_much", {"characters": 300_000})
        unbearable = await api.submit("returns_much", {"characters": 600_000}, max_retries=50)
        in_row = await api.finished(bearable)
        for waiting in (job_id, unbearable):
            await eventually(lambda: api.attempts(waiting))  # noqa: B023 - called in this turn
        (first, *_), (no_room, *_) = await api.attempts(job_id), await api.attempts(unbearable)
    job, kept = await api.all_finished(job_id, unbearable)

    assert ("completed", None, 300_000) == (in_row["state"], in_row["result_artifact"], len(in_row["result"]["text"]))
    assert {("retry", "ObjectStoreUnavailable")} == {(one["outcome"], one["error"]["type"]) for one in (first, no_room)}
    assert ["completed", "completed"] == [job["state"], kept["state"]]
    assert 1_200_011 == kept["result_artifact"]["size_bytes"]


def _folder(stack: Stack) -> Path:
    return stack.folder / ".warren" / "artifacts"


def _files(stack: Stack, job_id: str) -> list[str]:
    return [path.name for path in _folder(stack).rglob(f"{job_id}.*")]


@contextmanager
def _store_away(stack: Stack) -> Iterator[None]:
    """A file where its folder was, as a mount that is gone would leave a place that takes nothing."""
    folder, aside = _folder(stack), _folder(stack).with_name("aside")
    folder.mkdir(parents=True, exist_ok=True)
    folder.rename(aside)
    folder.write_text("nothing is mounted here")
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)
