"""What is done to a batch as a whole: sent again, cancelled, deleted, forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest_asyncio

from persistence.batches import batch_orders, batches
from persistence.batches.batch_orders import Do
from persistence.ending import retention
from persistence.ending.cancel import delete
from persistence.ending.retention import Rule
from persistence.store.database import Database
from tests.conftest import Places
from tests.room.persistence.batch_rows import (
    FAILED,
    batch_database,
    callbacks,
    children,
    end,
    found,
    give,
    made,
    run,
)
from tests.room.persistence.rows import (
    ask,
    born,
    ended,
    recorded,
    working,
)
from tests.room.persistence.states import RETRY
from wire.states import State


@pytest_asyncio.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    """One for the file: its tests differ in their batches, and a copy for each would take longer than they do."""
    async with batch_database(places) as pool:
        yield pool


async def test_failed_children_that_are_sent_again_open_it_again(database: Database) -> None:
    """The new end has a callback of its own, and the first one stays what it was."""
    batch_id, jobs = await made(database, 3)
    await run(database, *jobs[:2], **FAILED)
    await run(database, jobs[2])
    await end(database)
    await give(database, Do.RETRY, batch_id, State.FAILED)
    await end(database)
    between = await found(database, batch_id)
    await run(database, *jobs[:2])
    await end(database)
    batch = await found(database, batch_id)

    assert ("running", 2, None) == (between.state, between.counts.pending, between.finished_at)
    assert ("completed", 2, 3) == (batch.state, batch.ends, batch.counts.completed)
    assert [("sorry", 1), ("thanks", 2)] == [(k, p["batch"]["end"]) for k, p in await callbacks(database, batch_id)]


async def test_a_batch_does_not_end_while_it_is_sent_again(database: Database) -> None:
    """Its first children may be done before the last have begun."""
    batch_id, jobs = await made(database, batch_orders.CHUNK + 1)
    await run(database, *jobs, **FAILED)
    await end(database)
    order = await batch_orders.give(database, Do.RETRY, batch_id, [State.FAILED])
    assert order is not None
    steps = batch_orders.carry_out(database, order)
    sent = {post.job_id for post in (await anext(steps)).posts}
    await run(database, *[job for job in jobs if job.id in sent])
    await end(database)
    between = await found(database, batch_id)
    sent |= {post.job_id async for chunk in steps for post in chunk.posts}
    await end(database)
    last = await found(database, batch_id)

    assert ("running", batch_orders.CHUNK, 1, 1) == (
        between.state,
        between.counts.completed,
        between.counts.failed,
        between.ends,
    )
    assert {job.id for job in jobs} == sent
    assert ("running", 1) == (last.state, last.counts.pending)
    assert [] == await batch_orders.given(database, 10)


async def test_an_order_that_was_left_is_carried_on_with_and_repeats_nothing(database: Database) -> None:
    batch_id, jobs = await made(database, batch_orders.CHUNK + 1)
    await run(database, *jobs, **FAILED)
    order = await batch_orders.give(database, Do.RETRY, batch_id, [State.FAILED])
    assert order is not None
    first = await anext(batch_orders.carry_out(database, order))  # and the gateway dies
    sent = {post.job_id for post in first.posts}
    await run(database, *[job for job in jobs if job.id in sent], **FAILED)
    (left,) = await batch_orders.given(database, 10)
    more = [post.job_id async for chunk in batch_orders.carry_out(database, left) for post in chunk.posts]

    assert order == left
    assert [job.id for job in jobs if job.id not in sent] == more


async def test_a_cancelled_batch_cancels_what_waits_and_asks_what_runs(database: Database) -> None:
    batch_id, jobs = await made(database, 4)
    await run(database, jobs[0])
    running = await ask(database, await working(database), jobs[1])
    asked = await give(database, Do.CANCEL, batch_id)
    between = await found(database, batch_id)
    await recorded(database, ended(jobs[1], running.lease, **RETRY))
    await end(database)
    batch = await found(database, batch_id)
    ((kind, payload),) = await callbacks(database, batch_id)

    assert [(jobs[1].id, running.lease)] == asked
    assert ("running", 1, 2) == (between.state, between.counts.running, between.counts.cancelled)
    assert ("cancelled", 3, 1) == (batch.state, batch.counts.cancelled, batch.counts.completed)
    assert ("sorry", "cancelled") == (kind, payload["batch"]["state"])


async def test_a_cancel_takes_back_the_retry_that_is_under_way(database: Database) -> None:
    batch_id, jobs = await made(database, batch_orders.CHUNK + 1)
    await run(database, *jobs, **FAILED)
    order = await batch_orders.give(database, Do.RETRY, batch_id, [State.FAILED])
    assert order is not None
    steps = batch_orders.carry_out(database, order)
    await anext(steps)
    await give(database, Do.CANCEL, batch_id)

    assert [] == [chunk async for chunk in steps]
    assert (batch_orders.CHUNK, 1) == (
        (await found(database, batch_id)).counts.cancelled,
        (await found(database, batch_id)).counts.failed,
    )


async def test_finished_children_stay_counted_after_they_are_forgotten(database: Database) -> None:
    batch_id, jobs = await made(database, 3)
    await run(database, *jobs[:2])
    await database.fetch("UPDATE jobs SET created_at = created_at - interval '1 day', "
                         "finished_at = finished_at - interval '1 day' WHERE batch_id = $1", batch_id)  # fmt: skip
    rule = Rule(State.COMPLETED, timedelta(hours=1), await database.now())
    await retention.forget_jobs(database, rule, retention.START, 100)
    await delete(database, jobs[2].id, purge=True)  # it had not finished: it was never of the batch
    await end(database)
    batch = await found(database, batch_id)

    assert ("completed", 2, 2) == (batch.state, batch.counts.total, batch.counts.completed)


async def test_a_batch_is_forgotten_two_weeks_after_its_end(database: Database) -> None:
    (old, jobs), (young, _), (running, _) = [await made(database, number) for number in (1, 0, 1)]
    await run(database, *jobs)
    await end(database)
    await database.fetch(
        "UPDATE batches SET created_at = created_at - interval '15 days', "
        "finished_at = finished_at - interval '15 days' WHERE id = ANY($1)", [old, running],
    )  # fmt: skip
    forgotten = (await retention.forget_traces(database, 100))["batches"]
    left = [await batches.one_batch(database, batch_id) is not None for batch_id in (old, young, running)]

    assert (1, [False, True, True]) == (forgotten, left)


async def test_a_deleted_batch_takes_its_children_with_it(database: Database) -> None:
    batch_id, jobs = await made(database, batch_orders.CHUNK + 1)
    await run(database, jobs[0])
    await give(database, Do.CANCEL, batch_id)
    too_early = await batch_orders.give(database, Do.DELETE, batch_id)
    await end(database)
    order = await batch_orders.give(database, Do.DELETE, batch_id)
    at_once = await batches.one_batch(database, batch_id)
    assert order is not None
    async for _ in batch_orders.carry_out(database, order):
        pass
    await end(database)
    ids = [job.id for job in jobs]
    left = [
        len(await database.fetch(f"SELECT 1 FROM {rows}", *given))
        for rows, *given in (
            ("jobs WHERE batch_id = $1", batch_id),
            ("attempts WHERE job_id = ANY($1)", ids),
            ("batches WHERE id = $1", batch_id),
            ("batch_deltas WHERE batch_id = $1", batch_id),
        )
    ]

    assert (None, None) == (too_early, at_once)
    assert [0, 0, 0, 0] == left


async def test_a_batch_id_that_nobody_made_costs_nothing_for_long(database: Database) -> None:
    nobodys = uuid4()
    await born(database, *children(nobodys, 3))
    appended = await database.fetch("SELECT 1 FROM batch_deltas WHERE batch_id = $1", nobodys)
    await end(database)

    assert (1, []) == (len(appended), await database.fetch("SELECT 1 FROM batch_deltas WHERE batch_id = $1", nobodys))
