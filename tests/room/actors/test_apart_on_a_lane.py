"""An isolated job on a lane at work: what it says, saves and submits is in Postgres as that of any other job."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from persistence.questions import reads
from persistence.questions.reads import one_job
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors import isolated_jobs
from tests.room.actors.running import Running, ended, publish, running_lane
from wire.settings import Children
from wire.states import State


async def send(running: Running, what: str, said: object = None, name: str = "apart") -> uuid.UUID:
    job_id = uuid.uuid4()
    body = json.dumps({"type": name, "payload": {"what": what, "said": said}}).encode()
    await publish(running.amqp_url, "jobs.in", f"job.{name}.p5", body, type=name, message_id=str(job_id))
    return job_id


@asynccontextmanager
async def a_lane(places: Places, database: Database) -> AsyncIterator[Running]:
    stores = {"AMQP_URL": places.amqp_url, "DATABASE_URL": database._url}
    environment = {**os.environ, **stores, "WARREN_ACTORS": isolated_jobs.__name__}
    async with running_lane(
        places, database, declares=isolated_jobs.declare, children=Children(children=1), environment=environment
    ) as running:
        yield running


async def test_what_it_says_and_leaves_is_kept_as_any_other_jobs(
    places: Places, database: Database, tmp_path: Path
) -> None:
    """
    All in one child process; while it is busy the next job is not even claimed, and others run beside.
    """
    (tmp_path / "file").write_bytes(b"y" * 2_000_000)
    asked = {
        "tell": None, "save": str(tmp_path / "file"), "save_badly": None, "use_files": None, "ask_postgres": None,
        "who": None, "bear": "good", "bear_and_fail": "bad",
    }  # fmt: skip
    async with a_lane(places, database) as running:
        jobs = {what: await ended(database, await send(running, what, said)) for what, said in asked.items()}
        first = await send(running, "wait_until", str(tmp_path / "first"))
        await eventually((tmp_path / "first began").exists)
        second = await send(running, "wait_until", str(tmp_path / "second"))
        await running.send("beside")
        await eventually(
            lambda: {"good with the outcome", "good at once", "bad all the same", "beside"} <= set(running.started)
        )
        waits = await one_job(database, second)
        (tmp_path / "first").touch()
        (tmp_path / "second").touch()
        both = [await ended(database, job_id) for job_id in (first, second)]
        for name in running.started:
            running.release(name)
        lines = await database.fetch("SELECT lines FROM attempt_logs WHERE job_id = $1", jobs["tell"].id)
        saved = await saved_by(database, jobs["save"].id)
        (failed,) = await reads.attempts_of(database, jobs.pop("bear_and_fail").id)

    told = {what: json.loads(job.result or "null") for what, job in jobs.items()}
    assert {State.COMPLETED} == {job.state for job in (*jobs.values(), *both)}
    assert (0.75, "three quarters") == (jobs["tell"].progress, jobs["tell"].note)
    assert ["told from there", {"answer": 42}] == [json.loads(lines[0]["lines"])[name] for name in ("event", "fields")]
    assert [["bytes.txt", 3_000_000], ["file.txt", 2_000_000], ["made.txt", 3]] == [one[:2] for one in told["save"]]
    assert ["bytes.txt", "file.txt", "made.txt", "unheard.txt"] == saved
    assert ("FileNotFoundError", "Grüße") == (told["save_badly"], told["use_files"]["text"])
    assert ("running", str(jobs["who"].id)) == (told["ask_postgres"], told["who"]["job_id"])
    assert jobs["who"].trace_id == told["who"]["trace"]
    (handed_on,) = [line for line in told["who"]["handed_on"] if line.startswith("TRACEPARENT=")]
    assert handed_on.startswith(f"TRACEPARENT=00-{jobs['who'].trace_id}-")
    assert waits is None  # no recorder is here, and nobody has claimed it
    assert "bad never" not in running.started
    assert ("RuntimeError", "so the first one is not born") == (failed.error_type, failed.error_message)
    assert "isolated_jobs.py" in (failed.traceback or "")
    await eventually(lambda: not Path(told["use_files"]["folder"]).exists())


async def saved_by(database: Database, job_id: uuid.UUID) -> list[str]:
    rows = await database.fetch("SELECT name FROM artifacts WHERE job_id = $1 AND state = 'kept' ORDER BY name", job_id)
    return [row["name"] for row in rows]
