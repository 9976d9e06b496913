"""What types of job exist, and where each is served: Postgres is the truth, publishers know types and never queues.

Workers register what they serve when they boot; the gateway and the recorder validate with it and never import an
actor's code.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from persistence.store.database import Database, Row
from wire.errors import DatabaseUnavailable

STALE_SECONDS: Final = 2.0  # a changed type is known to every gateway about this soon
UNKNOWN_SECONDS: Final = 0.2  # a stream of misspelt types must not become a stream of reads


@dataclass(frozen=True, slots=True)
class JobType:
    """A type as its worker registered it."""

    name: str
    queue: str
    description: str
    payload_schema: str  # JSON Schema, as text
    priority: int
    max_retries: int
    timeout_seconds: float
    retry_base_seconds: float
    retry_max_seconds: float
    workers: int = 0
    result_schema: str | None = None  # the same of what its jobs return; None: it does not say


_REGISTER = """
WITH given AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::float8[], $8::float8[],
                       $9::float8[], $10::text[])
    AS g(name, queue, description, payload_schema, priority, max_retries, timeout_seconds, retry_base_seconds,
         retry_max_seconds, result_schema)
), before AS (SELECT name, queue FROM job_types WHERE name = ANY($1))
INSERT INTO job_types AS t (name, queue, description, payload_schema, priority, max_retries, timeout_seconds,
                            retry_base_seconds, retry_max_seconds, result_schema)
SELECT name, queue, description, payload_schema::json, priority, max_retries, timeout_seconds, retry_base_seconds,
       retry_max_seconds, result_schema::json
  FROM given ORDER BY name
    ON CONFLICT (name) DO UPDATE
   SET queue = excluded.queue, description = excluded.description, payload_schema = excluded.payload_schema,
       priority = excluded.priority, max_retries = excluded.max_retries, timeout_seconds = excluded.timeout_seconds,
       retry_base_seconds = excluded.retry_base_seconds, retry_max_seconds = excluded.retry_max_seconds,
       result_schema = excluded.result_schema, registered_at = clock_timestamp()
 WHERE $11
RETURNING name, (SELECT queue FROM before WHERE before.name = t.name) AS old_queue, queue
"""

_ALL = """
SELECT t.*, (SELECT count(*) FROM workers w
              WHERE w.ended_at IS NULL AND w.heartbeat_at > clock_timestamp() - make_interval(secs => $1)
                AND t.name = ANY(w.types)) AS workers
  FROM job_types t ORDER BY name
"""


_FORSAKEN = """
SELECT t.name FROM job_types t JOIN unnest($1::text[], $2::text[]) AS mine(name, queue) ON mine.name = t.name
 WHERE t.queue <> mine.queue
   AND NOT EXISTS (SELECT FROM workers w
                    WHERE w.ended_at IS NULL AND w.heartbeat_at > clock_timestamp() - make_interval(secs => $3)
                      AND t.queue = ANY(w.queues) AND t.name = ANY(w.types))
"""


async def register(database: Database, types: Sequence[JobType], *, anew: bool = True) -> dict[str, str]:
    """Make these known; returns the types that moved, with the queue each has left.

    Not `anew` only those are written that nobody knows: the others may have been changed by a younger worker.
    """
    columns = zip(*[_columns(job_type) for job_type in types], strict=True)
    rows = await database.fetch(_REGISTER, *map(list, columns), anew) if types else []
    return {row["name"]: row["old_queue"] for row in rows if row["old_queue"] not in (None, row["queue"])}


async def homes(database: Database, names: Sequence[str]) -> dict[str, str]:
    """The queue of each of these types."""
    rows = await database.fetch("SELECT name, queue FROM job_types WHERE name = ANY($1)", list(names))
    return {row["name"]: row["queue"] for row in rows}


async def forsaken(database: Database, types: Sequence[JobType], lease_seconds: float) -> list[str]:
    """Those of these types that have another queue, on which no live worker serves them."""
    names, queues = [t.name for t in types], [t.queue for t in types]
    return [row["name"] for row in await database.fetch(_FORSAKEN, names, queues, lease_seconds)]


async def named(transaction: asyncpg.Connection, names: Sequence[str]) -> dict[str, JobType]:
    """Those of these types that are known, within the caller's transaction; nobody's workers are counted."""
    rows = await transaction.fetch("SELECT *, 0 AS workers FROM job_types WHERE name = ANY($1)", list(names))
    return {row["name"]: _job_type(row) for row in rows}


async def known(database: Database, lease_seconds: float) -> list[JobType]:
    """All types by name, with the number of live workers that serve each."""
    return [_job_type(row) for row in await database.fetch(_ALL, lease_seconds)]


class Catalogue:
    """The types as last read; outlives a database outage, so that submissions can go on without it."""

    def __init__(self, database: Database, lease_seconds: float) -> None:
        self._database, self._lease_seconds = database, lease_seconds
        self._types: dict[str, JobType] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._refresh: asyncio.Task[None] | None = None

    async def find(self, name: str, *, surely: bool = False) -> JobType | None:
        """The type of that name; an unknown one is looked up anew, a known one is read again behind its back.

        Surely: None means that nobody has registered it by now.  A moment ago is not enough for a dead letter.
        """
        found, age = self._types.get(name), time.monotonic() - self._read_at
        if found is None and (surely or age > UNKNOWN_SECONDS):
            await self._read(newer_than=time.monotonic())
        elif age > STALE_SECONDS and (self._refresh is None or self._refresh.done()):
            self._refresh = asyncio.create_task(self._read(newer_than=time.monotonic()))  # nobody waits for it
        return self._types.get(name)

    def at_hand(self, name: str) -> JobType | None:
        """The type as last read, for those who cannot wait; somebody calls `refresh` for them."""
        return self._types.get(name)

    async def refresh(self) -> None:
        """Read the types again."""
        await self._read(newer_than=time.monotonic())

    def names(self) -> list[str]:
        return sorted(self._types)

    async def _read(self, newer_than: float) -> None:
        async with self._reading:
            if self._read_at >= newer_than:
                return  # somebody read it while we waited for our turn
            try:
                types = await known(self._database, self._lease_seconds)
            except DatabaseUnavailable:
                if not self._types:
                    raise  # a gateway that has never seen the types cannot judge a submission
            else:
                self._types = {job_type.name: job_type for job_type in types}
            self._read_at = time.monotonic()


def _columns(job_type: JobType) -> tuple[object, ...]:
    return (
        job_type.name, job_type.queue, job_type.description, job_type.payload_schema, job_type.priority,
        job_type.max_retries, job_type.timeout_seconds, job_type.retry_base_seconds, job_type.retry_max_seconds,
        job_type.result_schema,
    )  # fmt: skip


def _job_type(row: Row) -> JobType:
    return JobType(
        row["name"], row["queue"], row["description"], row["payload_schema"], row["priority"], row["max_retries"],
        row["timeout_seconds"], row["retry_base_seconds"], row["retry_max_seconds"], row["workers"],
        row["result_schema"],
    )  # fmt: skip
