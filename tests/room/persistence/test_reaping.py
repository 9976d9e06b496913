"""Jobs whose worker is gone: found by its end or its silence, sent again once, at growing intervals."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer
from persistence.crew import crashes, reaping, workers
from persistence.store.database import Database
from tests.room.persistence.rows import LEASE_SECONDS, accepted, ask, field, silent, submission, working

LEASE = timedelta(seconds=LEASE_SECONDS)
NOW, MOMENT, LONG = timedelta(0), timedelta(seconds=5), timedelta(seconds=30)


async def orphan(database: Database, *jobs: Submission) -> None:
    """The worker that runs these dies."""
    session = await working(database)
    await accepted(database, *jobs)
    for job in jobs:
        await ask(database, session, job)
    await workers.end(database, session)


async def posted(database: Database, job: Submission) -> list[tuple[int, str]]:
    rows = await database.fetch("SELECT run, because FROM outbox WHERE job_id = $1 AND run > 1", job.id)
    return [(row["run"], row["because"]) for row in rows]


async def test_an_orphan_gets_a_fresh_message_and_its_attempt_back(database: Database) -> None:
    await orphan(database, job := submission())

    assert 1 == await reaping.send_orphans(database, 100, NOW, LONG)
    assert [(2, "its worker was lost")] == await posted(database, job)
    assert ("queued", 0) == (await field(database, job, "state"), await field(database, job, "attempt"))
    session = await working(database)
    assert Answer.STALE == (await ask(database, session, job, run=1)).answer
    again = await ask(database, session, job, run=2)
    assert (Answer.CLAIMED, 2, 1, 1) == (again.answer, again.lease, again.attempt, again.crashes)


async def test_an_orphan_is_left_to_the_brokers_redelivery_first(database: Database) -> None:
    await orphan(database, submission())

    assert 0 == await reaping.send_orphans(database, 100, MOMENT, LONG)


async def test_a_cancelled_orphan_is_cancelled_and_not_sent(database: Database) -> None:
    await orphan(database, job := submission())
    await database.fetch("UPDATE jobs SET cancel_requested_at = now()")

    await reaping.send_orphans(database, 100, NOW, LONG)

    assert ([], "cancelled", 1) == (
        await posted(database, job), await field(database, job, "state"), await field(database, job, "run"),
    )  # fmt: skip


async def test_a_round_is_bounded_and_two_of_them_share_the_orphans(database: Database) -> None:
    await orphan(database, *[submission() for _ in range(20)])

    sent = await asyncio.gather(*[reaping.send_orphans(database, 8, NOW, LONG) for _ in range(2)])
    rest = [await reaping.send_orphans(database, 8, NOW, LONG) for _ in range(3)]

    assert 20 == sum(sent) + sum(rest)
    assert 20 == (await database.fetch("SELECT count(*) AS n FROM outbox WHERE run = 2"))[0]["n"]


async def test_a_job_whose_workers_die_again_and_again_waits_longer_each_time(database: Database) -> None:
    await orphan(database, submission())
    await reaping.send_orphans(database, 100, NOW, LONG)
    sent = []
    for waited in (59, 61, 119, 121):
        await database.fetch(
            "UPDATE jobs SET state = 'running', orphaned_at = now(), rescued_at = now() - make_interval(secs => $1)",
            float(waited),
        )
        sent.append(await reaping.send_orphans(database, 100, NOW, LONG))

    assert [0, 1, 0, 1] == sent


async def test_the_dead_are_the_silent_and_the_ended_that_still_hold_jobs(database: Database) -> None:
    alive, quiet, ended, fresh, idle = [await working(database) for _ in range(5)]
    jobs = [submission() for _ in range(4)]
    await accepted(database, *jobs)
    for session, job in zip((alive, quiet, ended, fresh), jobs, strict=True):
        await ask(database, session, job)
    await silent(database, quiet, LEASE_SECONDS + 1)
    await database.fetch("UPDATE workers SET ended_at = now() - interval '6 s' WHERE session = ANY($1)", [ended, idle])
    await database.fetch("UPDATE workers SET ended_at = now() WHERE session = $1", fresh)

    assert {quiet, ended} == set((await reaping.dead(database, LEASE, MOMENT)).sessions)


async def test_a_holder_that_nobody_knows_is_dead(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    await database.fetch("DELETE FROM workers")

    found = await reaping.dead(database, LEASE, MOMENT)

    assert [session] == list(found.sessions)
    assert 1 == await crashes.bury(database, found.sessions, silent_seconds=LEASE_SECONDS)
