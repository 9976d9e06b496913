"""Watch a backlog go: how long it took, and what each part has computed meanwhile.

The time is that of the rows, which the one who did the work has written; the looks only tell when it is over.  Postgres
pays for a look too: a new session for each and a walk over all of Warren's wide rows came to 15 µs a job, which were
taken for the job's own.  So all looks are one session's, and a look is a cheaper statement where there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from tests.bench.computed import micros_a_job

LOOK_SECONDS = 0.25


class Stuck(Exception):
    """Nobody has done anything for too long."""


@dataclass(frozen=True, slots=True)
class Drained:
    seconds: float
    per_second: float
    micros: dict[str, float]  # what a job has cost each role, the start of the processes left out


def watch(
    database_url: str,
    statement: str,
    jobs: int,
    computed: Callable[[], dict[str, float]],
    begun: Callable[[], None] = lambda: None,
    *,
    look: str | None = None,
    patience: float = 60.0,
) -> Drained:
    """Return once there are so many `done`; the statement's `took` are the seconds from first to last."""

    async def watched() -> Drained:
        connection = await asyncpg.connect(database_url)
        try:
            micros = await _until(connection, look or statement, jobs, computed, begun, patience)
            took = float((await connection.fetchrow(statement))["took"])
        finally:
            await connection.close()
        return Drained(took, jobs / took, micros)

    return asyncio.run(watched())


async def _until(
    connection: asyncpg.Connection,
    look: str,
    jobs: int,
    computed: Callable[[], dict[str, float]],
    begun: Callable[[], None],
    patience: float,
) -> dict[str, float]:
    """What a job has cost each role, from the first look that saw one done."""
    first, before, last, moved = 0, dict[str, float](), 0, asyncio.get_running_loop().time()
    while True:
        done, now = await connection.fetchval(look), asyncio.get_running_loop().time()
        if done and not before:
            first, before = done, computed()
            begun()
        if done >= jobs:
            return micros_a_job(before, computed(), max(1, jobs - first))
        if done > last:
            last, moved = done, now
        if now > moved + patience:
            raise Stuck(f"{last} of {jobs} jobs were done, and none for {patience:g} s")
        await asyncio.sleep(LOOK_SECONDS)
