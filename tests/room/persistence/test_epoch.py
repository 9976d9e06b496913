"""The epoch: one UUID, and what a broker without it costs: a fresh message for each waiting job."""

from __future__ import annotations

from uuid import uuid4

from persistence.mending import epoch
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, ended, field, recorded, submission, working


async def test_the_first_proposal_stands(database: Database) -> None:
    first = uuid4()

    assert None is await epoch.known(database)
    assert [first, first] == [await epoch.ours(database, first), await epoch.ours(database, uuid4())]
    assert first == await epoch.known(database)


async def test_each_waiting_job_gets_a_fresh_message_and_nobody_else(database: Database) -> None:
    session = await working(database)
    waiting, later, running, done = submission(), submission(), submission(), submission()
    await accepted(database, waiting, later, running, done)
    await database.fetch(
        "UPDATE jobs SET state = 'scheduled', scheduled_for = now() + interval '1 day' WHERE id = $1", later.id
    )
    for job in (running, done):
        await ask(database, session, job)
    await recorded(database, ended(done, 1))
    await database.fetch("DELETE FROM outbox")

    last = max(job.id for job in (waiting, later, running, done))
    assert (2, last) == await epoch.send_again(database, epoch.FIRST, 100, 0)
    assert (0, None) == await epoch.send_again(database, last, 100, 0)
    assert [2, 2, 1, 1] == [await field(database, job, "run") for job in (waiting, later, running, done)]
    rows = await database.fetch("SELECT job_id, run, due_at IS NULL AS at_once FROM outbox")
    assert {(waiting.id, 2, True), (later.id, 2, False)} == {tuple(row.values()) for row in rows}


async def test_they_go_out_one_after_the_other(database: Database) -> None:
    """Two thousand a second: a fresh broker must not meet a crowd, nor the workers."""
    await accepted(database, *[submission() for _ in range(400)])
    await database.fetch("DELETE FROM outbox")
    sent, after = 0, epoch.FIRST
    while after is not None:
        more, after = await epoch.send_again(database, after, 100, sent)
        sent += more

    (row,) = await database.fetch(
        "SELECT count(*) AS n, extract(epoch FROM max(publish_after) - min(publish_after)) AS span FROM outbox"
    )
    assert (400, True) == (row["n"], row["span"] > 0.15)
