"""Batches in Postgres: the counters are those of the jobs at every moment, and each end has one callback."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from msgspec import structs

from persistence.accepting.submission import Submission
from persistence.attempts.claim import claim
from persistence.batches import batches
from persistence.batches.batch_ends import fold
from persistence.batches.batch_orders import Do
from persistence.ending.cancel import again, cancel
from persistence.store.database import Database
from persistence.tables import COUNTERS
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.persistence.batch_rows import (
    COUNTED,
    FAILED,
    batch_database,
    callbacks,
    children,
    end,
    found,
    give,
    made,
    new,
    run,
)
from tests.room.persistence.rows import (
    LEASE_SECONDS,
    accepted,
    ask,
    born,
    delivered,
    ended,
    field,
    submission,
    working,
    written,
)
from tests.room.persistence.states import RETRY, waits_for_a_lock
from wire.errors import DatabaseUnavailable, Refused
from wire.states import FINAL, State


@pytest_asyncio.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    """One for the file: its tests differ in their batches, and a copy for each would take longer than they do."""
    async with batch_database(places) as pool:
        yield pool


async def test_a_batch_is_born_with_its_children(database: Database) -> None:
    batch_id, _ = await made(database, 1_234, name="import", tags=("news",))
    batch = await found(database, batch_id)

    assert ("import", ("news",), "running", 0) == (batch.name, batch.tags, batch.state, batch.ends)
    assert (1_234, 1_234, 0, 0) == (
        batch.counts.total,
        batch.counts.pending,
        batch.counts.running,
        batch.counts.ended,
    )


async def test_a_taken_id_makes_no_batch_and_no_job(database: Database) -> None:
    batch_id, _ = await made(database, 1)
    second = children(batch_id, 2)

    assert await batches.create(database, new(batch_id), second) is None
    assert not await field(database, second[0], "state")


@pytest.mark.parametrize("twice", ["of another job", "in one batch"])
async def test_a_child_whose_id_is_taken_leaves_nothing_behind(database: Database, twice: str) -> None:
    batch, first = new(), submission()
    jobs = children(batch.id, 3)
    if twice == "of another job":
        await accepted(database, first)
        jobs[2] = structs.replace(jobs[2], id=first.id)
    else:
        jobs[2] = jobs[1]

    with pytest.raises(Refused, match=r"jobs\[2\]\.id"):
        await batches.create(database, batch, jobs)
    assert await batches.one_batch(database, batch.id) is None
    assert not await field(database, jobs[0], "state")


async def test_its_callback_runs_when_the_last_child_has_completed(database: Database) -> None:
    batch_id, jobs = await made(database, 3, name="mails")
    await run(database, *jobs[:2])
    await end(database)
    before = await callbacks(database, batch_id)
    await run(database, jobs[2])
    await end(database)
    batch = await found(database, batch_id)
    told = {"id": str(batch_id), "name": "mails", "state": "completed", "end": 1, "total": 3, "completed": 3}

    assert [] == before
    assert [("thanks", {"to": "ada", "batch": {**told, "failed": 0, "cancelled": 0, "expired": 0}})] == await callbacks(
        database, batch_id
    )
    assert ("completed", 1, True) == (batch.state, batch.ends, batch.finished_at is not None)


async def test_the_callback_is_a_job_like_any_other(database: Database) -> None:
    """It has its type's defaults, a message in the outbox, and is the one that the batch names."""
    batch_id, jobs = await made(database, 1)
    await run(database, *jobs)
    changed, posts = await fold(database)
    callback_id = (await found(database, batch_id)).callback_id
    (row,) = await database.fetch(
        "SELECT j.state, j.priority, j.batch_id, j.traceparent = b.traceparent AS joined FROM jobs j, batches b "
        "WHERE j.id = $1 AND b.id = $2", callback_id, batch_id,
    )  # fmt: skip

    assert (1, [callback_id]) == (changed, [post.job_id for post in posts])
    assert ("queued", 8, None, True) == (row["state"], row["priority"], row["batch_id"], row["joined"])


@pytest.mark.parametrize("how", ["failed", "cancelled", "expired"])
async def test_a_child_that_did_not_complete_calls_for_the_other_callback(database: Database, how: str) -> None:
    batch_id, jobs = await made(database, 2)
    await run(database, jobs[0])
    if how == "failed":
        await run(database, jobs[1], **FAILED)
    elif how == "cancelled":
        await cancel(database, jobs[1].id)
    else:
        await database.fetch("UPDATE jobs SET expires_at = now() WHERE id = $1", jobs[1].id)
        await ask(database, await working(database), jobs[1])
    await end(database)
    ((kind, payload),) = await callbacks(database, batch_id)

    assert ("sorry", "failed", 1, 1) == (
        kind,
        payload["batch"]["state"],
        payload["batch"]["completed"],
        payload["batch"][how],
    )


async def test_a_batch_without_children_completes(database: Database) -> None:
    batch_id, _ = await made(database, 0)
    await end(database)

    assert ["thanks"] == [kind for kind, _ in await callbacks(database, batch_id)]


async def test_a_batch_without_callbacks_ends_all_the_same(database: Database) -> None:
    batch_id, jobs = await made(database, 1, on_complete=None, on_failure=None)
    await run(database, *jobs)
    await end(database)

    assert "completed" == (await found(database, batch_id)).state
    assert [] == await callbacks(database, batch_id)


async def test_an_open_batch_waits_for_its_close(database: Database) -> None:
    batch_id, jobs = await made(database, 1, open=True)
    await run(database, *jobs)
    late = children(batch_id, 2)
    await accepted(database, *late)
    await end(database)
    before = await found(database, batch_id)
    await batches.close(database, batch_id)
    await end(database)
    closed = await found(database, batch_id)
    for job in late:
        await cancel(database, job.id)
    await end(database)

    assert ("open", 3, 1) == (before.state, before.counts.total, before.counts.completed)
    assert ("running", "failed") == (closed.state, (await found(database, batch_id)).state)
    assert ["sorry"] == [kind for kind, _ in await callbacks(database, batch_id)]


async def test_the_close_of_a_batch_whose_children_have_ended_ends_it(database: Database) -> None:
    batch_id, jobs = await made(database, 2, open=True)
    await run(database, *jobs)
    await end(database)
    before = await found(database, batch_id)
    await batches.close(database, batch_id)
    await end(database)

    assert ("open", 0) == (before.state, before.ends)
    assert "completed" == (await found(database, batch_id)).state
    assert not await batches.close(database, uuid4())


async def test_two_last_children_that_end_at_the_same_instant_are_one_end(database: Database) -> None:
    """Neither transaction sees the other; the fold sees both, however many fold at once."""
    batch_id, jobs = await made(database, 2)
    session = await working(database)
    claims = [await ask(database, session, job) for job in jobs]
    async with database.transaction() as one, database.transaction() as two:
        for transaction, job, answer in zip((one, two), jobs, claims, strict=True):
            await transaction.execute(
                "UPDATE jobs SET state = 'completed', finished_at = now() WHERE id = $1 AND lease = $2",
                job.id,
                answer.lease,
            )
        await fold(database)
        assert [] == await callbacks(database, batch_id)
    await asyncio.gather(*(end(database) for _ in range(3)))

    assert ["thanks"] == [kind for kind, _ in await callbacks(database, batch_id)]


async def test_who_folds_does_so_alone_and_others_go_on(database: Database) -> None:
    """
    Another scheduler has taken the birth of a late child and not committed yet: the rest would look like an end.
    """
    (batch_id, jobs), (late,) = await made(database, 1), children(uuid4(), 1)
    await end(database)
    async with database.transaction() as other:
        await born(database, structs.replace(late, batch_id=batch_id))
        await other.execute("SELECT FROM batches WHERE id = $1 FOR NO KEY UPDATE", batch_id)
        await other.execute("DELETE FROM batch_deltas WHERE batch_id = $1", batch_id)
        await run(database, *jobs)
        async with asyncio.timeout(30):
            await fold(database)
        between = await callbacks(database, batch_id)
        await other.execute("UPDATE batches SET total = 2, pending = 2 WHERE id = $1", batch_id)
    await end(database)
    batch = await found(database, batch_id)

    assert ([], []) == (between, await callbacks(database, batch_id))
    assert ("running", 1, 1) == (batch.state, batch.counts.pending, batch.counts.completed)


async def test_a_crash_between_the_end_and_its_callback_is_no_end(database: Database) -> None:
    """
    The outbox is locked, so that the fold stands still in its last statement; then its connection is killed.
    """
    batch_id, jobs = await made(database, 2)
    await run(database, *jobs)
    async with database.transaction() as blocker:
        await blocker.execute("LOCK TABLE outbox IN EXCLUSIVE MODE")
        folding = asyncio.create_task(fold(database))
        await eventually(lambda: waits_for_a_lock(database))
        await blocker.execute(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE NOT l.granted AND d.datname = current_database()"
        )
        with pytest.raises(DatabaseUnavailable):
            await folding
    after_the_crash = await found(database, batch_id)
    await end(database)
    await end(database)

    assert ("running", 2, 0) == (after_the_crash.state, after_the_crash.counts.completed, after_the_crash.ends)
    assert ["thanks"] == [kind for kind, _ in await callbacks(database, batch_id)]
    assert 1 == (await found(database, batch_id)).ends


async def test_an_end_that_comes_again_between_two_folds_is_another_end(database: Database) -> None:
    """The sums are the same as before; that something woke is not forgotten."""
    batch_id, jobs = await made(database, 1)
    await run(database, *jobs, **FAILED)
    await end(database)
    await again(database, jobs[0].id)
    await run(database, *jobs, **FAILED)
    await end(database)

    assert ["sorry", "sorry"] == [kind for kind, _ in await callbacks(database, batch_id)]


async def test_a_child_that_comes_late_opens_it_again(database: Database) -> None:
    """By AMQP nobody is refused, and a birth may be recorded after an outage; its end is told too."""
    batch_id, jobs = await made(database, 1)
    await run(database, *jobs)
    await end(database)
    (late,) = children(batch_id, 1)
    await born(database, late)
    await end(database)
    between = await found(database, batch_id)
    await run(database, late)
    await end(database)

    assert ("running", 2) == (between.state, between.counts.total)
    assert [("thanks", 1), ("thanks", 2)] == [(k, p["batch"]["total"]) for k, p in await callbacks(database, batch_id)]


async def test_a_child_may_add_to_its_own_batch_which_does_not_end_between_the_two(database: Database) -> None:
    """Its children come to life in the statement's transaction that records it."""
    batch_id, (parent,) = await made(database, 1)
    (child,) = children(batch_id, 1)
    await run(database, parent, children=(child,))
    await end(database)
    between = await found(database, batch_id)
    await run(database, child)
    await end(database)

    assert ("running", 2, 0) == (between.state, between.counts.total, between.ends)
    assert [2] == [payload["batch"]["total"] for _, payload in await callbacks(database, batch_id)]


async def test_a_page_of_batches(database: Database) -> None:
    ids = [(await made(database, 1, name=f"n{number % 2}", tags=("t",), open=number == 0))[0] for number in range(5)]
    first = await batches.page_of_batches(database, batches.Filter(tag="t"), 3)
    place = batches.Place(first[-1].created_at, first[-1].id)
    rest = await batches.page_of_batches(database, batches.Filter(tag="t"), 3, place)

    async def ids_of(**wanted: Any) -> Sequence[UUID]:
        wanted = {"tag": "t", **wanted}
        return [batch.id for batch in await batches.page_of_batches(database, batches.Filter(**wanted), 10)]

    assert ids[::-1] == [batch.id for batch in [*first, *rest]]
    assert [ids[0]] == await ids_of(state="open")
    assert [ids[3], ids[1]] == await ids_of(name="n1", state="running")
    assert [] == await ids_of(since=await database.now())


async def test_the_counters_are_the_jobs_at_every_moment(database: Database, long: bool) -> None:
    """
    Workers, people and a scheduler at once, and nobody deadlocks; after each look the sum of the rows is what a count
    of the jobs says, in one snapshot, and in the end there are as many callbacks as ends.
    """
    batch_id, jobs = await made(database, 60)
    done = asyncio.Event()

    async def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(400 if long else 25):
            some = dice.sample(jobs, 8)
            how = dice.choice([{}, FAILED, RETRY, {}])
            await _run_what_may(database, some, how)
            await (again if dice.random() < 0.5 else cancel)(database, dice.choice(jobs).id)
            if dice.random() < 0.2:
                await (
                    give(database, Do.CANCEL, batch_id)
                    if dice.random() < 0.3
                    else give(database, Do.RETRY, batch_id, *FINAL - {State.COMPLETED})
                )

    async def keep_folding() -> None:
        while not done.is_set():
            await fold(database)

    async def look() -> int:
        looks = 0
        while not done.is_set():
            async with database.connection() as connection, connection.transaction(isolation="repeatable_read"):
                (counted,) = await connection.fetch(COUNTED, batch_id)
                (told,) = await connection.fetch(f"{batches._ONE}", batch_id)
            assert dict(counted) == {name: told[name] for name in COUNTERS}
            looks += 1
        return looks

    watching = [asyncio.create_task(look()), asyncio.create_task(keep_folding())]
    await asyncio.gather(*(work(seed) for seed in range(2)))
    done.set()
    looks, _ = await asyncio.gather(*watching)
    await give(database, Do.CANCEL, batch_id)
    for job in jobs:
        await database.fetch("UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = $1 "
                             "AND NOT state = ANY($2)", job.id, [state.value for state in FINAL])  # fmt: skip
    await end(database)
    batch = await found(database, batch_id)

    assert (looks > 10, batch.ends > 0) == (True, True)
    assert (60, 0, 0) == (batch.counts.total, batch.counts.pending, batch.counts.running)
    assert list(range(1, batch.ends + 1)) == [p["batch"]["end"] for _, p in await callbacks(database, batch_id)]


async def _run_what_may(database: Database, jobs: list[Submission], how: dict[str, Any]) -> None:
    session = await working(database)
    runs = {job.id: await field(database, job, "run") for job in jobs}
    asked = [replace(delivered(job), run=runs[job.id]) for job in jobs]  # type: ignore[arg-type]
    claims = await claim(database, session, asked, LEASE_SECONDS)
    endings = [ended(job, claims[job.id].lease, **how) for job in jobs if claims[job.id].lease]
    if endings:
        await written(database, endings)
