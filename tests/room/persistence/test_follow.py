"""A type moves to another queue: who says so, what follows it, and what a row says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from persistence.accepting.submission import Submission
from persistence.crew import workers
from persistence.declared import job_types
from persistence.declared.follow import follow
from persistence.declared.job_types import forsaken, homes, register
from persistence.foreign.stray import return_to_outbox
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO, accepted, ask, ended, field, recorded, submission, working
from wire.message import Incoming
from wire.states import Outcome, State

MOVED = replace(ECHO, queue="elsewhere")


async def test_what_waits_gets_a_message_for_the_new_queue_and_what_is_far_off_only_a_row(database: Database) -> None:
    """
    A message that lies in the ladder knows its type and not its queue.
    """
    due, far, running = submission(), submission(starts_in=timedelta(hours=1)), submission()
    await register(database, [ECHO])
    await accepted(database, due, far, running)
    session = await working(database)
    await ask(database, session, running)
    await register(database, [MOVED])
    moved = [await follow(database, {"echo": "default"}) for _ in range(2)]
    rows = await database.fetch("SELECT job_id, run FROM outbox WHERE run > 1")

    assert [2, 0] == moved
    assert [(due.id, 2)] == [(row["job_id"], row["run"]) for row in rows]
    assert [("elsewhere", 2), ("elsewhere", 1), ("default", 1)] == [
        (await field(database, job, "queue"), await field(database, job, "run")) for job in (due, far, running)
    ]


async def test_a_row_is_born_with_the_queue_that_its_type_has_now(database: Database) -> None:
    """
    Whoever judged it may have read the types a moment before the move.
    """
    await register(database, [MOVED])
    job = submission()
    await accepted(database, job)

    assert ("default", "elsewhere") == (job.queue, await field(database, job, "queue"))


async def test_a_retry_waits_in_the_queue_that_its_type_has_now(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    await register(database, [MOVED])
    await recorded(database, ended(job, 1, Outcome.RETRY, state=State.RETRYING, again_after=timedelta(seconds=1)))

    assert "elsewhere" == await field(database, job, "queue")


async def test_a_stray_of_a_moved_type_is_sent_again_and_its_row_names_the_new_queue(database: Database) -> None:
    job = submission()
    await accepted(database, job)
    await register(database, [MOVED])
    await return_to_outbox(database, [_copy(job, 1)], "its queue gave it up")

    assert ("elsewhere", 2) == (await field(database, job, "queue"), await field(database, job, "run"))


async def test_a_job_that_strays_again_and_again_waits_longer_each_time(database: Database) -> None:
    """
    Up to half a minute: by how long it has waited, so it needs no counter.
    """
    waits = []
    for seconds in (0, 10, 20, 3_600):
        job = submission()
        await accepted(database, job)
        await database.fetch(
            "UPDATE jobs SET created_at = created_at - make_interval(secs => $2) WHERE id = $1", job.id, seconds
        )
        await return_to_outbox(database, [_copy(job, 1)], "its queue gave it up")
        (row,) = await database.fetch(
            "SELECT extract(epoch FROM publish_after - clock_timestamp())::float8 AS wait FROM outbox"
            " WHERE job_id = $1 AND run = 2",
            job.id,
        )
        waits.append(row["wait"])

    bounds = [(0, 1), (4, 11), (9, 21), (14, 30)]
    assert [] == [(wait, low, high) for wait, (low, high) in zip(waits, bounds, strict=True) if not low < wait <= high]


async def test_only_a_worker_that_boots_moves_a_type(database: Database) -> None:
    """
    One that connects again makes known what nobody knows, and leaves the rest as a younger worker has said it.
    """
    news = replace(ECHO, name="news")
    first = await register(database, [ECHO])
    moved = await register(database, [MOVED])
    again = await register(database, [ECHO, news], anew=False)

    assert ({}, {"echo": "default"}, {}) == (first, moved, again)
    assert {"echo": "elsewhere", "news": "default"} == await homes(database, ["echo", "news", "nobody"])


async def test_a_type_is_forsaken_when_no_live_worker_serves_it_where_it_is(database: Database) -> None:
    await register(database, [ECHO])
    session = await working(database)  # serves echo on default
    served = await forsaken(database, [MOVED], 15)
    await workers.end(database, session)
    left = await forsaken(database, [MOVED], 15)
    mine = await forsaken(database, [ECHO], 15)

    assert ([], ["echo"], []) == (served, left, mine)


async def test_the_types_at_hand_are_those_of_the_last_look(database: Database) -> None:
    catalogue = job_types.Catalogue(database, 15)
    await catalogue.refresh()
    await register(database, [ECHO])
    before = catalogue.at_hand("echo")
    await catalogue.refresh()
    found = catalogue.at_hand("echo")

    assert before is None
    assert found is not None
    assert ("echo", "default") == (found.name, found.queue)


def _copy(job: Submission, run: int) -> Incoming:
    return Incoming(job.body, "jobs", "job.echo.p5", "dead", {"run": run}, str(job.id), "echo")
