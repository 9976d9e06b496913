"""Save an artifact: its row, its bytes, and only then it is listed.

    begin (the row, if the lease is ours) → put (the bytes) → keep (listed, if the lease is still ours)

The lease is the fence: what a process saves whose job has passed to another is never listed, though its bytes may have
been stored; the sweep finds them by their row.  So does it find what was cut off anywhere on the way, for which nothing
is cleaned up here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg

from persistence.artifacts.artifact import Artifact, Kind
from persistence.artifacts.content import Content, Measured
from persistence.artifacts.object_store import ObjectStore
from persistence.store.database import Database, Row
from wire.identity import fresh_id

LOOK_AFTER_SECONDS: Final = 60.0  # the sweep asks so often whether the job of an upload still runs
TRIES: Final = 3

_BEGIN = """
INSERT INTO artifacts (id, job_id, lease, attempt, kind, name, content_type, key, sweep_after)
SELECT $1, j.id, $3, $4, $5, $6, $7, $8, clock_timestamp() + make_interval(secs => $9)
  FROM jobs j WHERE j.id = $2 AND j.lease = $3 AND j.state = 'running'
RETURNING id
"""

# the job's lock lets one be kept at a time; the count makes the old one go before the new one comes
_KEEP = """
WITH job AS MATERIALIZED (
  SELECT id FROM jobs WHERE id = $2 AND lease = $3 AND state = 'running' FOR NO KEY UPDATE
), replaced AS (
  UPDATE artifacts a SET state = 'doomed', sweep_after = clock_timestamp()
    FROM job WHERE a.job_id = job.id AND a.kind = $4 AND a.name = $5 AND a.state = 'kept' AND a.id <> $1
  RETURNING a.id
)
UPDATE artifacts a SET state = 'kept', size_bytes = $6, sha256 = $7
  FROM job, (SELECT count(*) FROM replaced) r
 WHERE a.id = $1 AND a.job_id = job.id AND a.state IN ('uploading', 'kept')
RETURNING a.*
"""


class NotOurs(Exception):
    """The attempt that saves is not its job's current one (any more)."""


@dataclass(frozen=True, slots=True)
class Saver:
    """The attempt that saves."""

    job_id: UUID
    lease: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Label:
    """What is said of the bytes."""

    name: str
    content_type: str
    kind: Kind = Kind.SAVED


class Archive:
    """One a worker process."""

    def __init__(self, database: Database, store: ObjectStore, most_bytes: int) -> None:
        self._database, self.store, self._most_bytes = database, store, most_bytes

    async def stop(self) -> None:
        """After the last save."""
        await self.store.stop()

    async def save(self, saver: Saver, label: Label, content: Content) -> Artifact:
        """The artifact, once it is safe and listed; NotOurs, Refused, Unavailable, or what the content raises."""
        measured = Measured(content, self._most_bytes)
        artifact_id = fresh_id()
        key = await self._begin(artifact_id, saver, label)
        await self.store.put(key, measured)
        row = await self._keep(artifact_id, saver, label, measured)
        if row is None:
            await self.store.delete([key])  # the sweep would do it tomorrow
            raise NotOurs(_not_ours(saver))
        return Artifact.of(row)

    async def _begin(self, artifact_id: UUID, saver: Saver, label: Label) -> str:
        key = _key(saver.job_id, artifact_id)
        said = saver.job_id, saver.lease, saver.attempt, label.kind.value, label.name, label.content_type
        if await self._database.fetch_one(_BEGIN, artifact_id, *said, key, LOOK_AFTER_SECONDS) is None:
            raise NotOurs(_not_ours(saver))
        return key

    async def _keep(self, artifact_id: UUID, saver: Saver, label: Label, content: Measured) -> Row | None:
        said = saver.job_id, saver.lease, label.kind.value, label.name, content.size, content.sha256
        for _ in range(TRIES - 1):
            try:
                return await self._database.fetch_one(_KEEP, artifact_id, *said)
            except asyncpg.UniqueViolationError:  # another thread of the job has just kept one of this name
                continue
        return await self._database.fetch_one(_KEEP, artifact_id, *said)


def _key(job_id: UUID, artifact_id: UUID) -> str:
    """A folder an hour, and the job first: a person finds all of a job's with one look."""
    return f"{datetime.now(UTC):%Y-%m-%d/%H}/{job_id}.{artifact_id}"


def _not_ours(saver: Saver) -> str:
    return (
        f"attempt {saver.attempt} of job {saver.job_id} has ended or passed to another worker: nothing is saved by it"
    )
