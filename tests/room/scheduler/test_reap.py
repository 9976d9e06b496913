"""The reaper: who judges, after what, and what an outage must not look like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from persistence.accepting.submission import Submission
from persistence.crew import workers
from persistence.crew.workers import Pulse
from persistence.store.database import Database
from scheduler.reap import Reaper
from scheduler.unbroken import Unbroken
from tests.conftest import Places, execute
from tests.room.persistence.rows import LEASE_SECONDS, accepted, ask, field, silent, submission, working
from wire.errors import DatabaseUnavailable
from wire.settings import Scheduler


class Watching(Reaper):
    """A reaper that has been watching for so long already."""

    async def watched(self, seconds: float) -> Watching:
        now = await self._database.now()
        self._unbroken = Unbroken(timedelta(hours=1))
        self._unbroken.seen(now - timedelta(seconds=seconds))
        return self


@pytest_asyncio.fixture
async def reaper(database: Database) -> AsyncIterator[Watching]:
    yield await Watching(database, Scheduler(), LEASE_SECONDS).watched(LEASE_SECONDS)


async def running(database: Database) -> tuple[UUID, Submission]:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    return session, job


async def test_a_silent_worker_is_buried_and_its_job_sent_after_the_brokers_turn(
    reaper: Watching, database: Database
) -> None:
    session, job = await running(database)
    await silent(database, session, LEASE_SECONDS + 1)

    assert 0 == await reaper.once()
    assert (1, "running") == (await field(database, job, "crashes"), await field(database, job, "state"))
    await database.fetch("UPDATE jobs SET orphaned_at = now() - interval '6 s'")
    assert 1 == await reaper.once()
    assert (2, "queued") == (await field(database, job, "run"), await field(database, job, "state"))
    assert 0 == await reaper.once()


async def test_a_worker_that_beats_is_left_alone(reaper: Watching, database: Database) -> None:
    session, job = await running(database)
    await workers.beat(database, session, Pulse(1, True, None))
    await reaper.once()

    assert None is await field(database, job, "orphaned_at")


async def test_nobody_is_judged_before_the_reaper_has_watched_for_a_lease(database: Database) -> None:
    """After an outage of Postgres all workers look dead to whoever comes first."""
    reaper = await Watching(database, Scheduler(), LEASE_SECONDS).watched(LEASE_SECONDS - 1)
    session, job = await running(database)
    await silent(database, session, 60)
    await reaper.once()

    assert None is await field(database, job, "orphaned_at")


async def test_an_outage_makes_the_reaper_watch_anew(
    reaper: Watching, database: Database, database_url: str, places: Places
) -> None:
    session, job = await running(database)
    name = database_url.rpartition("/")[2]
    await execute(places.database_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await execute(
        places.database_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    with pytest.raises(DatabaseUnavailable):
        await reaper.once()
    await execute(places.database_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await silent(database, session, 60)
    await reaper.once()

    assert None is await field(database, job, "orphaned_at")


async def test_a_lock_that_keeps_workers_from_beating_keeps_the_reaper_from_judging(
    database_url: str, database: Database
) -> None:
    impatient = Database(database_url, "reaper", connections=1, timeout_seconds=0.5)
    reaper = await Watching(impatient, Scheduler(), LEASE_SECONDS).watched(LEASE_SECONDS)
    session, job = await running(database)
    await silent(database, session, 60)
    async with database.transaction() as transaction:
        await transaction.execute("LOCK TABLE workers IN SHARE MODE")
        with pytest.raises(DatabaseUnavailable):
            await reaper.once()
    await reaper.once()
    await impatient.stop()

    assert None is await field(database, job, "orphaned_at")


def test_a_reaper_looks_more_often_than_the_longest_gap_it_forgives() -> None:
    assert Scheduler().reap_seconds * 2 < LEASE_SECONDS / 2
