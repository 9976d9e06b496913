"""The sum of all that was recorded, as `deploy/prove` lays it beside its witness."""

from __future__ import annotations

from persistence.crew import workers
from persistence.questions import ledger
from persistence.questions.ledger import Sum
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, ended, recorded, submission, working
from wire.states import Outcome, Reason, State


async def test_each_job_is_counted_by_how_it_stands(database: Database) -> None:
    session, done, failed, waits, runs = await working(database), *(submission() for _ in range(4))
    await accepted(database, done, failed, waits, runs)
    for job in (done, failed, runs):
        await ask(database, session, job)
    await recorded(database, ended(done, 1))
    await recorded(database, ended(failed, 1, Outcome.FAILED, state=State.FAILED, reason=Reason.POISON))

    assert Sum(
        completed=1, twice=0, unfinished=2, blamed={"failed poison": 1}, crashed=0, superseded=0
    ) == await ledger.recorded(database)


async def test_what_completed_twice_what_crashed_and_what_came_late_is_seen(database: Database) -> None:
    first, second, job = await working(database), await working(database), submission()
    await accepted(database, job)
    await ask(database, first, job)
    await workers.end(database, first)
    await ask(database, second, job)
    await recorded(database, ended(job, 2))
    taken_over = await ledger.recorded(database)
    await recorded(database, ended(job, 1))
    late = await ledger.recorded(database)
    await database.fetch("UPDATE attempts SET outcome = 'completed'")
    doubled = await ledger.recorded(database)

    assert (1, 0, 1, 0) == (taken_over.completed, taken_over.twice, taken_over.crashed, taken_over.superseded)
    assert (1, 0, 0, 1) == (late.completed, late.twice, late.crashed, late.superseded)
    assert (1, 1) == (doubled.completed, doubled.twice)
