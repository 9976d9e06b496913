"""Artifacts: listed when they are safe and only for who holds the lease; and nothing stays that nobody lists."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from persistence.accepting.submission import Submission
from persistence.artifacts.archive import Archive, Label, NotOurs, Saver
from persistence.artifacts.artifact import Kind
from persistence.artifacts.doom import doom
from persistence.artifacts.object_store import ObjectStore
from persistence.artifacts.sweep import Swept, sweep
from persistence.ending import cancel, retention
from persistence.ending.retention import START, Rule
from persistence.questions import artifacts, reads
from persistence.store.database import Database
from tests.eventually import eventually
from tests.journey.stack import ROOT
from tests.room.persistence.rows import accepted, ask, ended, recorded, submission, working
from wire.errors import ObjectStoreUnavailable, Refused
from wire.slices.artifacts import Artifacts
from wire.states import State

PAGE = Label("page.html", "text/html")
RESULT = Label("result.json", "application/json", Kind.RESULT)


@dataclass
class Here:
    """A database, a folder, and a job that runs."""

    database: Database
    folder: Path
    store: ObjectStore
    archive: Archive
    job: Submission
    session: UUID
    saver: Saver

    def files(self) -> list[bytes]:
        return sorted(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())

    async def listed(self) -> list[bytes]:
        found = await artifacts.of_job(self.database, self.job.id, 100, artifacts.START)
        return [b"".join([p async for p in self.store.read(one.key, 0, one.size_bytes)]) for one in found]

    async def states(self) -> list[str]:
        return [row["state"] for row in await self.database.fetch("SELECT state FROM artifacts ORDER BY created_at")]

    async def take_over(self) -> Saver:
        """Another worker has the job now."""
        await self.database.fetch("UPDATE jobs SET lease = lease + 1, attempt = attempt + 1 WHERE id = $1", self.job.id)
        return Saver(self.job.id, self.saver.lease + 1, 2)

    async def complete(self) -> None:
        await recorded(self.database, ended(self.job, self.saver.lease))

    async def swept(self, later: timedelta = timedelta(minutes=2)) -> Swept:
        """A sweep, so much later."""
        await self.database.fetch("UPDATE artifacts SET sweep_after = sweep_after - $1::interval", later)
        return await sweep(self.database, self.store, 100)


@pytest_asyncio.fixture
async def here(database: Database, tmp_path: Path) -> Here:
    job, session = submission(), await working(database)
    await accepted(database, job)
    claim = await ask(database, session, job)
    store = ObjectStore(Artifacts(artifacts_url=str(tmp_path / "store")))
    archive, saver = Archive(database, store, 100), Saver(job.id, claim.lease, claim.attempt)
    return Here(database, tmp_path / "store", store, archive, job, session, saver)


async def test_what_is_saved_again_takes_the_place_of_what_was_there(here: Here) -> None:
    first = await here.archive.save(here.saver, PAGE, b"first")
    again = await here.archive.save(await here.take_over(), PAGE, b"second")
    other = await here.archive.save(Saver(here.job.id, 2, 2), Label("b", "text/plain"), b"other")
    files = here.files()

    assert [b"second", b"other"] == await here.listed()
    assert (None, again) == (await artifacts.one(here.database, first.id), await artifacts.one(here.database, again.id))
    assert (again.sha256, other.attempt) == ("16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4", 2)
    assert Swept(1, 1) == await here.swept()
    assert ([b"first", b"other", b"second"], [b"other", b"second"]) == (files, here.files())


async def test_two_threads_that_save_under_one_name_leave_one(here: Here) -> None:
    contents = [b"%d" % n for n in range(8)]
    await asyncio.gather(*(here.archive.save(here.saver, PAGE, content) for content in contents))
    listed = await here.listed()
    await here.swept()

    assert 1 == len(listed)
    assert listed == here.files()


async def test_who_has_lost_the_lease_before_saves_nothing(here: Here) -> None:
    await here.take_over()
    with pytest.raises(NotOurs, match="attempt 1 of job"):
        await here.archive.save(here.saver, PAGE, b"late")

    assert ([], [], []) == (await here.states(), here.files(), await here.listed())


@pytest.mark.parametrize("how", ["taken over", "completed", "deleted"])
async def test_who_loses_the_lease_while_the_bytes_go_is_not_listed(here: Here, how: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"zombie"
        if how == "taken over":
            await here.take_over()
        elif how == "completed":
            await here.complete()
        else:
            await cancel.delete(here.database, here.job.id, purge=True)

    with pytest.raises(NotOurs):
        await here.archive.save(here.saver, PAGE, pieces())

    assert ([], []) == (await here.listed(), here.files())
    assert ["uploading"] == await here.states()
    assert Swept(1, 1) == await here.swept()


async def test_what_is_too_large_is_refused_and_leaves_nothing(here: Here) -> None:
    with pytest.raises(Refused, match="content: has more than 100 bytes; save it in parts"):
        await here.archive.save(here.saver, PAGE, iter([b"x" * 60] * 2))

    assert ([], []) == (await here.listed(), here.files())


async def test_an_upload_of_a_job_that_runs_is_left_alone(here: Here) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        assert Swept(1, 0) == await here.swept(timedelta(days=1))
        yield b"b"

    await here.archive.save(here.saver, PAGE, pieces())

    assert ([b"ab"], ["kept"]) == (await here.listed(), await here.states())
    assert Swept(0, 0) == await here.swept(timedelta(days=1))


async def test_what_a_frozen_upload_stores_after_its_burial_is_deleted_too(here: Here) -> None:
    await _left_behind(here)
    (row,) = await here.database.fetch("SELECT key FROM artifacts")
    await here.complete()
    await here.swept()
    buried = await here.states(), here.files()
    await here.store.put(row["key"], _one(b"frozen"))  # it goes on, as if nothing had happened
    too_early = await here.swept()
    await here.swept(timedelta(days=1))

    assert (["buried"], []) == buried
    assert Swept(0, 0) == too_early
    assert ([], []) == (await here.states(), here.files())


async def test_with_the_store_away_the_rows_wait_for_the_next_sweep(here: Here) -> None:
    await here.archive.save(here.saver, PAGE, b"page")
    await doom(here.database, (await artifacts.of_job(here.database, here.job.id, 1, artifacts.START))[0].id)
    away = here.folder.with_name("away")
    here.folder.rename(away)
    here.folder.write_text("no folder any more")
    with pytest.raises(ObjectStoreUnavailable):
        await here.swept()
    waiting = await here.states()
    here.folder.unlink()
    away.rename(here.folder)

    assert (["doomed"], Swept(0, 0)) == (waiting, await here.swept(timedelta(minutes=1)))
    assert Swept(1, 1) == await here.swept()
    assert ([], []) == (await here.states(), here.files())


@pytest.mark.parametrize("how", ["deleted", "retired"])
async def test_artifacts_go_with_their_job(here: Here, how: str) -> None:
    await here.archive.save(here.saver, PAGE, b"page")
    await here.archive.save(here.saver, RESULT, b'"much"')
    await here.complete()
    if how == "deleted":
        await cancel.delete(here.database, here.job.id)
    else:
        rule = Rule(State.COMPLETED, timedelta(0), await here.database.now())
        await retention.forget_jobs(here.database, rule, START, 10)

    assert ([], ["doomed", "doomed"]) == (await here.listed(), await here.states())
    assert Swept(2, 2) == await here.swept(timedelta(0))
    assert ([], []) == (await here.states(), here.files())


async def test_a_result_counts_only_beside_the_outcome_of_its_own_lease(here: Here) -> None:
    """Its attempt may have died before that was recorded, and the next one may have returned nothing."""
    left = await here.archive.save(here.saver, RESULT, b'"left by the first"')
    while_it_runs = await reads.one_job(here.database, here.job.id)
    second = await here.take_over()
    await recorded(here.database, ended(here.job, second.lease))
    job = await reads.one_job(here.database, here.job.id)

    assert while_it_runs is not None
    assert job is not None
    assert (State.COMPLETED, None, None) == (job.state, job.result_artifact, while_it_runs.result_artifact)
    assert ([], left.id) == (await here.listed(), left.id)


async def test_a_worker_that_is_killed_between_bytes_and_row_leaves_nothing(here: Here, database_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, database_url, str(here.folder), str(here.job.id),
        cwd=ROOT, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert b"stored\n" == await process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    stored = here.files(), await here.states(), await here.listed()
    await here.take_over()
    await here.swept()

    assert ([b"nobody knows"], ["uploading"], []) == stored
    assert ([], ["buried"]) == (here.files(), await here.states())
    await here.swept(timedelta(days=1))
    assert [] == await here.states()


DIES = """
import asyncio, sys
from uuid import UUID
from persistence.artifacts.archive import Archive, Label, Saver
from persistence.artifacts.object_store import ObjectStore
from persistence.store.database import Database
from wire.slices.artifacts import Artifacts

class Stops(ObjectStore):
    async def put(self, key, content):
        await super().put(key, content)
        print("stored", flush=True)
        await asyncio.Event().wait()

async def main():
    database = Database(sys.argv[1], "dies", connections=1, timeout_seconds=10)
    archive = Archive(database, Stops(Artifacts(artifacts_url=sys.argv[2])), 100)
    await archive.save(Saver(UUID(sys.argv[3]), 1, 1), Label("a", "text/plain"), b"nobody knows")

asyncio.run(main())
"""


async def _left_behind(here: Here) -> None:
    """An upload that nobody finished, as of a process that died."""

    async def breaks_off() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await here.archive.save(here.saver, PAGE, breaks_off())
    await eventually(lambda: not here.files())


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content
