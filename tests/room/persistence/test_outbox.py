"""The outbox: whatever its writer did not come back to is published by the sweep, once it is due and still needed."""

from __future__ import annotations

from datetime import timedelta

from persistence.accepting import outbox
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, ended, recorded, submission, working


async def seqs(database: Database) -> list[int]:
    return [row["seq"] for row in await database.fetch("SELECT seq FROM outbox ORDER BY seq")]


async def due(database: Database) -> None:
    await database.fetch("UPDATE outbox SET publish_after = clock_timestamp()")


async def test_a_fresh_row_is_left_to_its_writer(database: Database) -> None:
    await accepted(database, submission())

    assert ([], []) == await outbox.lease(database, 100, 10)


async def test_a_row_that_is_left_comes_with_all_its_message_needs(database: Database) -> None:
    job = submission(starts_in=timedelta(minutes=5), priority=8)
    await accepted(database, job)
    await due(database)

    (post,), needless = await outbox.lease(database, 100, 10)

    assert ([], job.id, "echo", 8, job.body, 1) == (
        needless,
        post.job_id,
        post.type,
        post.priority,
        post.body,
        post.run,
    )
    assert timedelta(minutes=4) < post.wait <= timedelta(minutes=5)
    assert job.trace.trace_id == post.trace.trace_id
    message = post.message()
    assert message.exchange.startswith("delay.")
    assert message.routing_key.endswith(".job.echo.p8")


async def test_a_leased_row_comes_back_later_each_time(database: Database) -> None:
    await accepted(database, submission())
    waits = []
    for _ in range(3):
        await due(database)
        await outbox.lease(database, 100, 10)
        row = await database.fetch_one(
            "SELECT extract(epoch FROM publish_after - clock_timestamp())::int AS s FROM outbox"
        )
        assert row
        waits.append(row["s"])

    assert [10, 20, 40] == waits
    assert ([], []) == await outbox.lease(database, 100, 10)


async def test_a_message_that_nobody_needs_any_more_is_only_deleted(database: Database) -> None:
    """Its job has gone on without it: a duplicate was faster, or it was cancelled or deleted."""
    session, done, deleted = await working(database), submission(), submission()
    await accepted(database, done, deleted)
    await ask(database, session, done)
    await recorded(database, ended(done, 1))
    await database.fetch("DELETE FROM jobs WHERE id = $1", deleted.id)
    await due(database)

    posts, needless = await outbox.lease(database, 100, 10)
    await outbox.delete(database, needless)

    assert ([], []) == (posts, await seqs(database))


async def test_two_sweeps_share_the_rows(database: Database) -> None:
    await accepted(database, *[submission() for _ in range(10)])
    await due(database)

    one, _ = await outbox.lease(database, 6, 10)
    other, _ = await outbox.lease(database, 6, 10)

    assert (6, 4, set()) == (len(one), len(other), {p.seq for p in one} & {p.seq for p in other})
