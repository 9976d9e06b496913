"""Receipts: known to the attempts after the one that wrote them, and to no other; gone when their job is."""

from __future__ import annotations

import asyncio

import pytest

from persistence.receipts.forget import forget_receipts
from persistence.receipts.receipts import Receipts, TakenOver
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, submission, working

LATER = "UPDATE receipts SET looked_at = looked_at - interval '2 hours'"


async def test_what_was_taken_is_known_to_the_next_attempt_alone(database: Database) -> None:
    job, session = submission(), await working(database)
    await accepted(database, job)
    lease = (await ask(database, session, job)).lease
    first, other = Receipts(database, job.id, lease, "a"), Receipts(database, job.id, lease, "b")
    before = await first.known()
    await asyncio.gather(*(first.keep([name, "ada"]) for name in ("bob", "eve", "bob", "joe")))
    known = await first.known(), await other.known()
    await database.fetch("UPDATE jobs SET lease = lease + 1")

    assert (frozenset(), ({"ada", "bob", "eve", "joe"}, frozenset())) == (before, known)
    assert {"ada", "bob", "eve", "joe"} == await Receipts(database, job.id, lease + 1, "a").known()
    with pytest.raises(TakenOver):
        await first.known()


async def test_a_receipt_stays_as_long_as_its_job_may_be_tried_again(database: Database) -> None:
    jobs = {state: submission() for state in ("queued", "failed", "completed")}
    await accepted(database, *jobs.values())
    for state, job in jobs.items():
        await database.fetch("UPDATE jobs SET state = $2 WHERE id = $1", job.id, state)
        await Receipts(database, job.id, 1, "a").keep(["ada"])
    young = await forget_receipts(database, 10)
    await database.fetch(LATER)
    completed = await forget_receipts(database, 10)
    await database.fetch(LATER)
    again = await forget_receipts(database, 10)
    await database.fetch(LATER)
    await database.fetch("DELETE FROM jobs")

    assert (0, 1, 0, 2) == (young, completed, again, await forget_receipts(database, 10))
