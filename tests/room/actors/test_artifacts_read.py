"""What one job has saved another reads, in a folder of its own that goes with its attempt."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.running import Running, ended, publish, running_lane
from warren import context, job

FOLDERS = list[Path]()


def declares() -> None:
    @job("saves_for_others", max_retries=0)
    async def saves(payload: dict[str, str]) -> str:
        file = context().scratch() / "text"
        file.write_text(payload["text"])
        return str((await context().save_artifact(payload["name"], file)).id)

    @job("reads_of_others", max_retries=0)
    def reads(payload: dict[str, str]) -> dict[str, str]:
        asked = [context().read_artifact(payload["id"], field="id") for _ in range(2)]
        one, again = [reading.wait() for reading in asked]
        return {"text": one.read_text(), "name": one.name, "folder": str(context().scratch()), "again": str(again)}

    @job("hangs_with_files", max_retries=0)
    async def hangs(payload: dict[str, str]) -> None:
        (context().scratch() / "half").touch()
        FOLDERS.append(context().scratch())
        await asyncio.Event().wait()


@asynccontextmanager
async def a_lane(places: Places, database: Database) -> AsyncIterator[Running]:
    async with running_lane(places, database, declares=declares, drain_seconds=0.05) as running:
        yield running


async def send(running: Running, job_type: str, **payload: Any) -> uuid.UUID:
    job_id = uuid.uuid4()
    body = json.dumps({"type": job_type, "payload": payload}).encode()
    await publish(running.amqp_url, "jobs.in", f"job.{job_type}.p5", body, type=job_type, message_id=str(job_id))
    return job_id


async def test_what_one_saves_another_reads_and_the_folders_go(places: Places, database: Database) -> None:
    """
    Asked for twice at once it is one file; nothing of either attempt is left on the disk.
    """
    async with a_lane(places, database) as running:
        saved = await ended(database, await send(running, "saves_for_others", name="a/b.txt", text="Grüße"))
        artifact_id = json.loads(saved.result or "null")
        read = await ended(database, await send(running, "reads_of_others", id=artifact_id))
        told = json.loads(read.result or "null")
        missing = await ended(database, await send(running, "reads_of_others", id=str(uuid.UUID(int=1))))
        folder = Path(told["folder"])
        await eventually(lambda: not folder.exists())

    assert ("Grüße", "a_b.txt", f"{folder}/{artifact_id}/a_b.txt") == (told["text"], told["name"], told["again"])
    assert ("failed", "permanent") == (missing.state, missing.reason)
    assert (missing.error_message or "").startswith(f"id: there is no artifact {uuid.UUID(int=1)}")
    assert not folder.parent.exists()  # the process's own, when it has ended


async def test_an_attempt_that_is_interrupted_leaves_no_files(places: Places, database: Database) -> None:
    async with a_lane(places, database) as running:
        await send(running, "hangs_with_files")
        folder = await eventually(lambda: FOLDERS and FOLDERS[-1])
        there = folder.exists()

    assert (True, False) == (there, folder.exists())
