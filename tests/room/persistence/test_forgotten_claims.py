"""Postgres crashes just after a claim, and has forgotten it: the job is done once, and its outcome counts.

A claim does not wait for the disk.  This Postgres brings nothing there by itself while its writers stand still, so that
what has not been waited for is gone for certain when it is killed, however long the test takes until then.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from deploy.servers.postgres import Postgres
from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer, start_first
from persistence.crew import workers
from persistence.crew.remind import remind
from persistence.crew.workers import Held, Pulse
from persistence.migrations import upgrade
from persistence.store.database import Database
from tests.provider import private_postgres
from tests.room.persistence.rows import accepted, ask, ended, field, recorded, submission, working
from wire.states import Outcome, State

LAZY = {"wal_writer_delay": "10s", "bgwriter_lru_maxpages": "0", "autovacuum": "off"}
WRITERS = ["walwriter", "background writer", "checkpointer"]
PULSE = Pulse(free_slots=3, consuming=True, idle_seconds=None)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = private_postgres(Path(tmp_path_factory.mktemp("postgres")), **LAZY)
    server.start()
    upgrade(server.dsn)
    yield server
    server.kill()


@pytest_asyncio.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    pool = Database(postgres.dsn, "test", connections=2, timeout_seconds=10)
    yield pool
    await pool.stop()


async def test_an_outcome_counts_whose_claim_was_forgotten(postgres: Postgres, database: Database) -> None:
    session, job = await working(database), submission()
    await _claimed_and_forgotten(postgres, database, session, job)

    made = await recorded(database, ended(job, 1, result='"good"'), session)

    assert (True, State.COMPLETED) == (made.current, made.state)
    assert ("completed", 1, 1, '"good"') == await _told(database, job)
    assert session == await field(database, job, "holder")
    assert [(1, "completed")] == await _attempts(database, job)


async def test_a_retry_is_due_whose_claim_was_forgotten(postgres: Postgres, database: Database) -> None:
    session, job = await working(database), submission()
    await _claimed_and_forgotten(postgres, database, session, job)

    failed = ended(job, 1, Outcome.RETRY, state=State.RETRYING, again_after=timedelta(0))
    made = await recorded(database, failed, session)

    assert (True, State.RETRYING, 2) == (made.current, made.state, made.next_run)
    again = await ask(database, session, job, run=2)
    assert (Answer.CLAIMED, 2, 2) == (again.answer, again.lease, again.attempt)


async def test_a_heartbeat_reminds_the_row_before_anybody_else_can_claim_it(
    postgres: Postgres, database: Database
) -> None:
    session, job = await working(database), submission()
    await _claimed_and_forgotten(postgres, database, session, job)

    orders = await workers.beat(database, session, PULSE, [Held(job.id, 1)])
    await remind(database, session, [Held(job.id, 1)])

    assert (frozenset(), frozenset({job.id})) == (orders.lost, orders.forgotten)
    assert ("running", 1, 1, None) == await _told(database, job)
    assert frozenset() == (await workers.beat(database, session, PULSE, [Held(job.id, 1)])).forgotten
    assert Answer.HELD is (await ask(database, await working(database), job)).answer
    assert (await recorded(database, ended(job, 1), session)).current
    assert ("completed", 1, 1, None) == await _told(database, job)


async def test_of_two_that_were_given_the_same_lease_the_row_knows_its_holder(
    postgres: Postgres, database: Database
) -> None:
    first, job = await working(database), submission()
    await _claimed_and_forgotten(postgres, database, first, job)
    second = await working(database)
    assert 1 == (await ask(database, second, job)).lease  # of another copy of the message

    orders = await workers.beat(database, first, PULSE, [Held(job.id, 1)])
    await remind(database, first, [Held(job.id, 1)])
    late = await recorded(database, ended(job, 1, result='"late"'), first)
    good = await recorded(database, ended(job, 1, result='"good"'), second)

    assert frozenset({job.id}) == orders.lost
    assert (False, True) == (late.current, good.current)
    assert ("completed", 1, 1, '"good"') == await _told(database, job)


async def test_a_job_that_was_cancelled_after_its_claim_was_forgotten_stays_so(
    postgres: Postgres, database: Database
) -> None:
    session, job = await working(database), submission()
    await _claimed_and_forgotten(postgres, database, session, job)
    await database.fetch("UPDATE jobs SET state = 'cancelled' WHERE id = $1", job.id)

    orders = await workers.beat(database, session, PULSE, [Held(job.id, 1)])
    made = await recorded(database, ended(job, 1), session)

    assert frozenset({job.id}) == orders.lost
    assert (False, "cancelled") == (made.current, await field(database, job, "state"))


async def test_what_is_promised_waits_for_the_disk(postgres: Postgres, database: Database) -> None:
    """An accepted job, one that is born with its claim, and an outcome."""
    session = await working(database)
    accepted_one, born_one, done = submission(), submission(), submission()
    await _stand_still(database)
    await accepted(database, done)
    await ask(database, session, done)
    await recorded(database, ended(done, 1), session)
    await _crash(postgres, database)
    assert "completed" == await field(database, done, "state")

    await _stand_still(database)
    await accepted(database, accepted_one)
    await _crash(postgres, database)
    assert "queued" == await field(database, accepted_one, "state")

    await _stand_still(database)
    assert Answer.CLAIMED is (await ask(database, session, born_one, run=None)).answer
    await _crash(postgres, database)
    assert "running" == await field(database, born_one, "state")


async def _claimed_and_forgotten(postgres: Postgres, database: Database, session: UUID, job: Submission) -> None:
    await accepted(database, job)
    await _stand_still(database)
    claim = await start_first(database, session, job.id)
    assert claim is not None
    assert (1, "running") == (claim.lease, await field(database, job, "state"))  # everybody sees it
    await _crash(postgres, database)
    assert ("queued", 0, 0, None) == await _told(database, job)


async def _stand_still(database: Database) -> None:
    """Those who bring to the disk what nobody waits for; whoever waits does it himself."""
    for row in await database.fetch("SELECT pid FROM pg_stat_activity WHERE backend_type = ANY($1)", WRITERS):
        os.kill(row["pid"], signal.SIGSTOP)


async def _crash(postgres: Postgres, database: Database) -> None:
    postgres.kill()
    postgres.start()
    await database.wait_connected()


async def _told(database: Database, job: Submission) -> tuple[object, ...]:
    rows = await database.read("SELECT state, lease, attempt, result::text FROM jobs WHERE id = $1", job.id)
    return tuple(rows[0].values())


async def _attempts(database: Database, job: Submission) -> list[tuple[int, str]]:
    rows = await database.fetch("SELECT lease, outcome FROM attempts WHERE job_id = $1 ORDER BY lease", job.id)
    return [(row["lease"], row["outcome"]) for row in rows]
