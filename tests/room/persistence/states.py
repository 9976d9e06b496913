"""A job in any state, for the tests of what is done to it from outside."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from persistence.accepting.submission import Submission
from persistence.ending.cancel import cancel
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, ended, field, recorded, submission, working
from wire.states import Outcome, Reason, State

FINISHED = [State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED]
RETRY = {"outcome": Outcome.RETRY, "state": State.RETRYING, "again_after": timedelta(seconds=5)}


async def in_state(database: Database, state: str) -> tuple[Submission, UUID]:
    """A job in that state, and the session of the worker that ran it, if one did."""
    session, job = await working(database), submission()
    if state == State.SCHEDULED:
        job = submission(starts_in=timedelta(hours=1))
    await accepted(database, job)
    if state in (State.RUNNING, State.RETRYING, State.COMPLETED, State.FAILED):
        await ask(database, session, job)
    if state == State.RETRYING:
        await recorded(database, ended(job, 1, **RETRY))
    elif state == State.COMPLETED:
        await recorded(database, ended(job, 1))
    elif state == State.FAILED:
        await recorded(database, ended(job, 1, Outcome.FAILED, state=State.FAILED, reason=Reason.PERMANENT))
    elif state == State.CANCELLED:
        await cancel(database, job.id)
    elif state == State.EXPIRED:
        await database.fetch("UPDATE jobs SET expires_at = now() WHERE id = $1", job.id)
        await ask(database, session, job)
    assert state == await field(database, job, "state")
    return job, session


async def waits_for_a_lock(database: Database) -> bool:
    rows = await database.fetch(
        "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.datname = current_database() "
        "JOIN pg_stat_activity a ON a.pid = l.pid AND a.datid = d.oid WHERE NOT l.granted"
    )
    return bool(rows)
