"""A client makes batches, and knows of each how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from gateway.client.calls import Client, new_job
from gateway.client.failures import BatchFailed, BatchStillOpen, NotConfirmed, NotFound
from persistence.batches.batch_ends import fold
from tests.room.gateway.running import Running
from tests.room.gateway.stumbling import Stumbling
from wire.errors import Refused

pytestmark = pytest.mark.asyncio(loop_scope="module")
HI = {"message": "hi"}


async def end_all(running: Running, batch_id: UUID, state: str) -> None:
    """As the workers' record would, and the scheduler's fold."""
    await running.sql("UPDATE warren.jobs SET state = $2, finished_at = now() WHERE batch_id = $1", batch_id, state)
    while (await fold(running.room.database))[0]:
        pass


async def test_a_batch_is_made_once_however_often_its_answer_is_lost(
    running: Running, proxy: Stumbling, client: Client
) -> None:
    proxy.lose = 2
    batch = await client.submit_batch(
        [new_job("echo", HI), new_job("echo", {"message": "ho"}, priority="high")],
        name="lost",
        tags=["a"],
        on_complete=new_job("anything", {"to": "ada"}, priority=9),
        on_failure=new_job("anything"),
    )
    jobs = await client.list(batch_id=batch.id)

    assert ("running", 2, 2) == (batch.state, batch.counts.total, batch.counts.pending)
    assert ("lost", ("a",), True) == (batch.name, batch.tags, batch.duplicate)
    assert ({"type": "anything", "payload": {"to": "ada"}, "priority": 9}) == batch.on_complete
    assert ["hi", "ho"] == sorted(job.payload["message"] for job in jobs.items)
    assert 1 == len(await running.sql("SELECT 1 FROM warren.batches WHERE name = 'lost'"))


async def test_one_bad_job_refuses_the_batch_by_its_place(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        await client.submit_batch([new_job("echo", HI), new_job("echo", {"message": 7})])

    assert "jobs[1].payload.message" == refused.value.field


async def test_a_batch_that_nobody_confirms_is_told_with_its_id(proxy: Stumbling) -> None:
    jobs = [new_job("echo", HI)]
    proxy.lose = 100
    async with Client(proxy.url, patience_seconds=0.3) as hasty:
        with pytest.raises(NotConfirmed, match=r"that the batch is safe: .* submit it again with id=") as told:
            await hasty.submit_batch(jobs)
    proxy.lose = 0
    async with Client(proxy.url) as client:
        batch = await client.submit_batch(jobs, id=told.value.id)

    assert (told.value.id, 1) == (batch.id, batch.counts.total)


async def test_an_open_batch_grows_until_it_is_closed(running: Running, proxy: Stumbling, client: Client) -> None:
    batch = await client.submit_batch(open=True, name="grows")
    items = await client.add_to_batch(batch.id, [new_job("echo", HI), new_job("echo", {})])
    single = await client.submit("echo", HI, batch_id=batch.id)
    with pytest.raises(BatchStillOpen, match=r"\(grows\) is open after 0 s: of 2 jobs 2 pending; close it") as open_yet:
        await client.wait_for_batch(batch.id, within=0)
    proxy.lose = 1
    closed = await client.close_batch(batch.id)
    with pytest.raises(Refused, match="takes no more jobs"):
        await client.add_to_batch(batch.id, [new_job("echo", HI)])
    await end_all(running, batch.id, "completed")
    done = await client.wait_for_batch(batch.id, within=30)

    assert ["accepted", "invalid"] == [item.status for item in items]
    assert {items[0].id, single} == {job.id for job in (await client.list(batch_id=batch.id)).items}
    assert ("open", "running", "completed") == (open_yet.value.batch.state, closed.state, done.state)
    assert (2, 1.0, 1) == (done.counts.completed, done.progress.fraction, done.ends)


async def test_who_waits_is_told_the_moment_it_has_ended(running: Running, client: Client) -> None:
    batch = await client.submit_batch([new_job("echo", HI)])
    waiting = asyncio.create_task(client.wait_for_batch(batch.id, within=30))
    await end_all(running, batch.id, "completed")

    assert "completed" == (await waiting).state


async def test_a_batch_that_failed_says_how_many_and_its_failed_jobs_are_sent_again(
    running: Running, client: Client
) -> None:
    batch = await client.submit_batch([new_job("echo", HI), new_job("echo", HI)], name="fails")
    await end_all(running, batch.id, "failed")
    with pytest.raises(BatchFailed, match=r"\(fails\) failed: of 2 jobs 2 failed") as failed:
        await client.wait_for_batch(batch.id)
    again = await client.retry_batch(batch.id)
    with pytest.raises(Refused, match=r"no job of batch .* is expired"):
        await client.retry_batch(batch.id, state="expired")

    assert (2, "running") == (failed.value.batch.counts.failed, again.state)


async def test_a_batch_that_lives_is_cancelled_and_one_that_has_ended_is_deleted(
    running: Running, proxy: Stumbling, client: Client
) -> None:
    first, second = [await client.submit_batch([new_job("echo", HI)], name="away") for _ in range(2)]
    cancelled = await client.cancel_batch(first.id)
    living = await client.delete_batch(second.id)
    while (await fold(running.room.database))[0]:
        pass
    page = await client.batches(name="away", state="cancelled", limit=1)
    rest = await client.batches(name="away", state="cancelled", cursor=page.next_cursor)
    proxy.lose = 1
    gone = await client.delete_batch(first.id)

    assert None not in {living and living.cancel_requested_at, cancelled.cancel_requested_at}
    assert gone is None
    assert [second.id, first.id] == [batch.id for batch in (*page.items, *rest.items)]
    with pytest.raises(NotFound, match="there is no batch"):
        await client.batch(first.id)


@pytest.mark.parametrize(
    "call",
    [Client.batch, Client.close_batch, Client.cancel_batch, Client.retry_batch, Client.delete_batch,
     Client.wait_for_batch],
)  # fmt: skip
async def test_a_batch_that_is_not_there_is_not_found(client: Client, call: Callable[..., object]) -> None:
    with pytest.raises(NotFound, match="there is no batch"):
        await call(client, uuid4())  # type: ignore[misc]
