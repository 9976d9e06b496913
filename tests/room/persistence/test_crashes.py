"""Who is to blame for a dead process: suspects, convictions, poison, and nobody else."""

from __future__ import annotations

import asyncio
from uuid import UUID

from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer, claim
from persistence.crew import crashes, workers
from persistence.crew.crashes import CONVICTIONS
from persistence.store.database import Database
from tests.room.persistence.rows import LEASE_SECONDS, accepted, ask, delivered, field, submission, working
from wire.metrics import table as metrics
from wire.states import Reason


async def charges(database: Database, job: Submission) -> tuple[object, object]:
    return await field(database, job, "crashes"), await field(database, job, "convictions")


async def crash(database: Database, *jobs: Submission) -> UUID:
    """A worker that runs these dies."""
    session = await working(database)
    for job in jobs:
        await ask(database, session, job)
    await workers.end(database, session)
    return session


async def test_the_first_crash_makes_suspects_of_all_and_convicts_nobody(database: Database) -> None:
    jobs = [submission() for _ in range(5)]
    await accepted(database, *jobs)
    await crash(database, *jobs)

    assert {(1, 0)} == {await charges(database, job) for job in jobs}
    assert {"running"} == {await field(database, job, "state") for job in jobs}


async def test_the_sole_suspect_is_convicted_and_poison_after_three_times(database: Database) -> None:
    killer, neighbours = submission(), [submission() for _ in range(10)]
    await accepted(database, killer, *neighbours)
    await crash(database, killer)
    for neighbour in neighbours[:CONVICTIONS]:
        await crash(database, killer, neighbour)

    assert (CONVICTIONS + 1, CONVICTIONS) == await charges(database, killer)
    assert ("failed", "poison") == (await field(database, killer, "state"), await field(database, killer, "reason"))
    assert {(1, 0)} == {await charges(database, neighbour) for neighbour in neighbours[:CONVICTIONS]}
    rows = await database.fetch("SELECT outcome, reason FROM attempts WHERE job_id = $1 ORDER BY lease", killer.id)
    assert [("crashed", None)] * 3 + [("crashed", "poison")] == [tuple(row.values()) for row in rows]


async def test_poison_is_counted_by_whoever_buries_its_worker(database: Database) -> None:
    """Its end is written by no attempt, so nobody else could count it."""
    killer = submission()
    await accepted(database, killer)
    before = _poisoned(killer)
    for _ in range(CONVICTIONS + 1):
        await crash(database, killer)

    assert before + 1 == _poisoned(killer)


def _poisoned(job: Submission) -> float:
    return metrics.FAILURES.values.get((job.type, Reason.POISON), 0.0)


async def test_poison_is_not_started_again(database: Database) -> None:
    killer = submission()
    await accepted(database, killer)
    for _ in range(CONVICTIONS + 1):
        await crash(database, killer)

    assert Answer.FINISHED == (await ask(database, await working(database), killer)).answer
    assert CONVICTIONS + 1 == await field(database, killer, "lease")


async def test_two_suspects_beside_each_other_are_not_convicted(database: Database) -> None:
    """However often they die together, and in whatever order others take them over; each death is counted."""
    one, other = submission(), submission()
    await accepted(database, one, other)
    for _ in range(5):
        await crash(database, one, other)
        await ask(database, (taker := await working(database)), one)
        await workers.end(database, taker, blamed=())

    assert [(5, 0), (5, 0)] == [await charges(database, one), await charges(database, other)]


async def test_a_culprit_that_is_known_is_charged_alone(database: Database) -> None:
    session, culprit, neighbour = await working(database), submission(), submission()
    await accepted(database, culprit, neighbour)
    await ask(database, session, culprit)
    await ask(database, session, neighbour)
    await workers.end(database, session, blamed=[culprit.id])

    assert [(1, 1), (0, 0)] == [await charges(database, culprit), await charges(database, neighbour)]
    rows = await database.fetch("SELECT outcome FROM attempts WHERE job_id = $1", neighbour.id)
    assert ["interrupted"] == [row["outcome"] for row in rows]


async def test_a_process_that_ended_in_peace_blames_nobody(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    await workers.end(database, session, blamed=())
    await workers.end(database, session)  # the supervisor, who cannot know

    assert (0, 0) == await charges(database, job)


async def test_a_death_that_many_notice_is_charged_once(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(20)]
    await accepted(database, *jobs)
    for job in jobs:
        await ask(database, session, job)
    others = [await working(database) for _ in range(3)]
    await database.fetch("UPDATE workers SET ended_at = now() WHERE session = $1", session)
    claims = [ask(database, other, job) for other, job in zip(others, jobs, strict=False)]
    await asyncio.gather(*claims, *[crashes.bury(database, [session]) for _ in range(4)])

    assert {(1, 0)} == {await charges(database, job) for job in jobs}


async def test_one_that_has_beaten_meanwhile_is_not_buried(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)

    assert 0 == await crashes.bury(database, [session], silent_seconds=15)
    assert None is await field(database, job, "orphaned_at")


async def test_of_suspects_only_one_is_claimed_and_the_others_stand_back_unburned(database: Database) -> None:
    """One that kills the moment it starts must be alone at it, in the rows too."""
    suspects, innocent = [submission() for _ in range(3)], submission()
    await accepted(database, *suspects, innocent)
    await crash(database, *suspects)
    session = await working(database)
    answers = await claim(database, session, [delivered(job) for job in (*suspects, innocent)], LEASE_SECONDS)
    await workers.end(database, session)
    stood_back = [job for job in suspects if answers[job.id].answer is Answer.PARKED]

    assert Answer.CLAIMED == answers[innocent.id].answer
    assert 2 == len(stood_back)
    assert {("retrying", 0, 2)} == {
        (await field(database, job, "state"), await field(database, job, "attempt"), answers[job.id].run)
        for job in stood_back
    }
    assert all(1 <= answers[job.id].wait.total_seconds() <= 2 for job in stood_back)
    assert [(1, 0), (1, 0), (2, 1)] == sorted([await charges(database, job) for job in suspects])


async def test_with_a_suspect_at_work_no_other_is_claimed(database: Database) -> None:
    suspect = submission()
    await accepted(database, suspect)
    await crash(database, suspect)
    session = await working(database)
    answers = await claim(database, session, [delivered(suspect)], LEASE_SECONDS, suspects=0)
    rows = await database.fetch("SELECT run, because FROM outbox WHERE job_id = $1 ORDER BY seq DESC", suspect.id)

    assert (Answer.PARKED, 2) == (answers[suspect.id].answer, answers[suspect.id].run)
    assert (2, "runs alone: a worker died while it ran") == tuple(rows[0].values())
