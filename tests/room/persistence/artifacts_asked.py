"""All that is asked of Postgres about artifacts, once."""

from __future__ import annotations

import tempfile
from uuid import UUID

from persistence.accepting.accept import insert
from persistence.artifacts.archive import Archive, Label, Saver
from persistence.artifacts.artifact import Kind
from persistence.artifacts.doom import doom
from persistence.artifacts.object_store import ObjectStore
from persistence.artifacts.sweep import sweep
from persistence.attempts.claim import claim
from persistence.ending import cancel
from persistence.questions import artifacts
from persistence.store.database import Database
from tests.room.persistence.rows import LEASE_SECONDS, delivered, submission
from wire.slices.artifacts import Artifacts


async def artifacts_are_asked_about(database: Database, session: UUID) -> None:
    """Saved by a job that runs, read, thrown away and swept."""
    job = submission()
    async with database.transaction() as transaction:
        await insert(transaction, [job])
    held = (await claim(database, session, [delivered(job)], LEASE_SECONDS))[job.id]
    with tempfile.TemporaryDirectory() as folder:
        store = ObjectStore(Artifacts(artifacts_url=folder))
        archive, saver = Archive(database, store, 1024), Saver(job.id, held.lease, 1)
        await archive.save(saver, Label("a.txt", "text/plain"), b"first")
        await archive.save(saver, Label("a.txt", "text/plain"), b"second")
        await archive.save(saver, Label("result.json", "application/json", Kind.RESULT), b"{}")
        found = await artifacts.of_job(database, job.id, 10, artifacts.START)
        await artifacts.one(database, found[0].id)
        await doom(database, found[0].id)
        await cancel.delete(database, job.id, purge=True)
        await sweep(database, store, 100)
