"""The rows behind `unique`: one job a key, whoever asks, in whatever order, and whatever is deleted meanwhile."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from uuid import UUID

from persistence.accepting.accept import insert
from persistence.accepting.submission import Submission
from persistence.ending.retention import START, Rule, forget_jobs
from persistence.store.database import Database
from tests.eventually import eventually
from tests.room.persistence.rows import accepted, ask, ended, field, recorded, submission, working
from tests.room.persistence.states import waits_for_a_lock
from wire.states import Outcome, State
from wire.unique import Contest, Unique


async def test_a_child_for_which_another_job_stands_is_not_born(database: Database) -> None:
    parent, holder, child, sibling = submission(), unique(b"a"), unique(b"a"), unique(b"b")
    await accepted(database, parent, holder)
    session = await working(database)
    lease = (await ask(database, session, parent)).lease
    await recorded(database, ended(parent, lease, Outcome.COMPLETED, children=(child, sibling)))

    assert [None, "queued"] == [await field(database, job, "state") for job in (child, sibling)]
    assert "completed" == await field(database, parent, "state")


async def test_many_keys_in_any_order_make_one_job_each_and_no_deadlock(database: Database) -> None:
    """
    Each asker holds its keys until it commits; taken in another order than the next one's, they would block each other.
    """
    keys = [number.to_bytes(2, "big") for number in range(500)]

    async def one() -> None:
        await accepted(database, *[unique(key) for key in random.sample(keys, len(keys))])

    for _ in range(5):
        await asyncio.gather(*[one() for _ in range(4)])
    rows = await database.fetch("SELECT key, job_id FROM unique_jobs JOIN jobs ON id = job_id")

    assert sorted(keys) == sorted(row["key"] for row in rows)
    assert 500 == (await database.fetch("SELECT count(*) FROM jobs"))[0]["count"]


async def test_an_asker_that_is_rolled_back_has_taken_nothing(database: Database) -> None:
    second = unique(b"a")
    try:
        async with database.transaction() as transaction:
            await insert(transaction, [unique(b"a")])
            raise _Never
    except _Never:
        await accepted(database, second)

    assert "queued" == await field(database, second, "state")


async def test_who_asks_while_the_first_is_not_committed_waits_for_it(database: Database) -> None:
    first, second = unique(b"a"), unique(b"a")
    async with database.transaction() as transaction:
        await insert(transaction, [first])
        waiting = asyncio.create_task(accepted(database, second))
        await eventually(lambda: waits_for_a_lock(database))
    await waiting

    assert ["queued", None] == [await field(database, job, "state") for job in (first, second)]


async def test_a_key_goes_with_its_job(database: Database) -> None:
    job, other = unique(b"a"), unique(b"b")
    await accepted(database, job, other)
    await database.fetch(
        "UPDATE jobs SET state = 'completed', created_at = created_at - interval '2 days', "
        "finished_at = created_at - interval '2 days' WHERE id = $1",
        job.id,
    )
    await forget_jobs(database, Rule(State.COMPLETED, timedelta(days=1), await database.now()), START, 10)

    assert [other.id] == await _holders(database)


async def test_retention_does_not_wait_for_who_asks(database: Database) -> None:
    """
    Whoever asks at this moment takes the key over or leaves it behind; a delete that waited for him could block both.
    """
    job = unique(b"a")
    await accepted(database, job)
    async with database.transaction() as transaction:
        await transaction.execute("SELECT 1 FROM unique_jobs FOR UPDATE")
        await asyncio.wait_for(database.fetch("DELETE FROM jobs"), 30)
    fresh = unique(b"a")
    await accepted(database, fresh)

    assert [fresh.id] == await _holders(database)


class _Never(Exception):
    """The caller's transaction fails."""


async def _holders(database: Database) -> list[UUID]:
    return [row["job_id"] for row in await database.fetch("SELECT job_id FROM unique_jobs")]


def unique(key: bytes) -> Submission:
    return submission(unique=Contest(key, Unique()))
