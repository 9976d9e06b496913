"""Waiting jobs: the overtaken get a fresh message, and an honest backlog is left alone."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from persistence.accepting.submission import Submission
from persistence.mending import rescue
from persistence.mending.rescue import Overtaken
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, ended, field, recorded, submission, working
from wire.states import Outcome, State

MINUTE = timedelta(minutes=1)


async def lost(database: Database, *jobs: Submission, minutes: float = 10) -> None:
    """Accepted so long ago and published; nobody knows where the messages are."""
    await accepted(database, *jobs)
    ids = [job.id for job in jobs]
    await database.fetch("DELETE FROM outbox WHERE job_id = ANY($1)", ids)
    older = "UPDATE jobs SET created_at = created_at - $2::interval WHERE id = ANY($1)"
    await database.fetch(older, ids, MINUTE * minutes)


async def ago(database: Database, minutes: float) -> datetime:
    return await database.now() - MINUTE * minutes


async def send(database: Database, minutes: float = 5, priority: int = 5, limit: int = 1_000) -> int:
    level = Overtaken("default", priority, await ago(database, minutes))
    return await rescue.send_overtaken(database, [level], limit, MINUTE)


async def test_an_overtaken_job_gets_a_fresh_message_once(database: Database) -> None:
    await lost(database, job := submission())

    assert [1, 0] == [await send(database), await send(database)]
    assert (2, "queued", 1) == tuple([await field(database, job, name) for name in ("run", "state", "rescues")])
    rows = await database.fetch("SELECT run, because FROM outbox")
    assert [(2, "its message was lost")] == [tuple(row.values()) for row in rows]


async def test_who_came_due_later_or_has_another_priority_or_queue_is_left_alone(database: Database) -> None:
    young, high, elsewhere = submission(), submission(priority=8), submission(queue="other")
    await lost(database, young, minutes=4)
    await lost(database, high, elsewhere)

    assert 0 == await send(database)


async def test_who_has_an_outbox_row_is_left_to_the_sweep(database: Database) -> None:
    await accepted(database, submission())
    await database.fetch("UPDATE jobs SET created_at = created_at - interval '1 hour'")

    assert 0 == await send(database)


async def test_who_was_sent_late_counts_from_then(database: Database) -> None:
    """Behind a long outage of RabbitMQ a message stands behind what was published meanwhile."""
    await lost(database, job := submission())
    await rescue.sent_late(database, [job.id])

    assert [0, 1] == [await send(database, minutes=5), await send(database, minutes=-0.01)]


async def test_what_is_sent_in_time_is_not_written_down(database: Database) -> None:
    await accepted(database, job := submission())
    await rescue.sent_late(database, [job.id])

    assert None is await field(database, job, "sent_at")


async def test_scheduled_and_retrying_jobs_count_from_their_time(database: Database) -> None:
    session = await working(database)
    past, future, retrying = submission(), submission(), submission()
    await lost(database, past, future, retrying, minutes=60)
    await ask(database, session, retrying)
    again = ended(retrying, 1, Outcome.RETRY, state=State.RETRYING, again_after=timedelta(seconds=8), error_message="x")
    await recorded(database, again)
    await database.fetch("DELETE FROM outbox")
    for job, minutes in ((past, -6), (future, -1)):
        later = "UPDATE jobs SET state = 'scheduled', scheduled_for = now() + $2::interval WHERE id = $1"
        await database.fetch(later, job.id, MINUTE * minutes)

    assert 1 == await send(database)
    await database.fetch("UPDATE jobs SET next_attempt_at = now() - interval '6 min' WHERE id = $1", retrying.id)
    assert 1 == await send(database)
    assert [2, 1, 3] == [await field(database, job, "run") for job in (past, future, retrying)]


async def test_the_rounding_of_a_long_retry_is_not_taken_for_a_loss(database: Database) -> None:
    """The ladder may bring a retry of ten days almost two hours late."""
    await lost(database, job := submission(), minutes=60 * 24 * 11)
    await database.fetch(
        "UPDATE jobs SET state = 'retrying', started_at = now() - interval '10 days 1 hour', "
        "next_attempt_at = now() - interval '1 hour'"
    )

    assert 0 == await send(database)
    await database.fetch("UPDATE jobs SET next_attempt_at = now() - interval '2 hours'")
    assert 1 == await send(database)
    assert 1 == await field(database, job, "rescues")


async def test_a_job_that_is_lost_again_and_again_waits_twice_as_long_each_time(database: Database) -> None:
    await lost(database, submission())
    sent = []
    for waited in (0, 119, 121, 239, 241):
        await database.fetch("DELETE FROM outbox")
        await database.fetch(
            "UPDATE jobs SET sent_at = NULL, rescued_at = rescued_at - make_interval(secs => $1)", float(waited)
        )
        sent.append(await send(database))
        await database.fetch("UPDATE jobs SET rescued_at = now() WHERE $1", bool(sent[-1]))
        await database.fetch("UPDATE jobs SET rescued_at = now()")

    assert [1, 0, 1, 0, 1] == sent


async def test_fresh_messages_are_paced_and_two_schedulers_share_them(database: Database) -> None:
    jobs = [submission() for _ in range(1_000)]
    await lost(database, *jobs)

    sent = await asyncio.gather(*[send(database, limit=600) for _ in range(2)])
    while more := await send(database, limit=600):
        sent.append(more)

    assert 1_000 == sum(sent)
    (row,) = await database.fetch(
        "SELECT count(*) AS n, count(DISTINCT job_id) AS jobs, max(publish_after) - min(publish_after) AS span"
        "  FROM outbox"
    )
    assert (1_000, 1_000, True) == (row["n"], row["jobs"], row["span"] > timedelta(milliseconds=200))


async def test_a_rescued_job_goes_to_the_queue_of_its_type(database: Database) -> None:
    await database.fetch(
        "INSERT INTO job_types (name, queue, payload_schema, priority, max_retries, timeout_seconds,"
        " retry_base_seconds, retry_max_seconds) VALUES ('echo', 'moved', '{}', 5, 3, 30, 2, 300)"
    )
    await lost(database, job := submission())
    await send(database)

    assert "moved" == await field(database, job, "queue")


async def test_all_that_is_known_of_the_queues_is_read(database: Database) -> None:
    await working(database)
    await accepted(database, submission(), submission(queue="b"), submission(queue="b"), submission(queue="a"))
    await database.fetch("UPDATE jobs SET state = 'completed' WHERE queue = 'a'")
    await database.fetch("INSERT INTO queue_marks (queue, priority, due_at) VALUES ('b', 5, '2030-01-01')")

    seen = await rescue.queues(database, timedelta(seconds=15))

    assert (["b", "default"], [("b", 5)]) == (seen.waiting, list(seen.marks))
    assert [["default"]] == [crew.queues for crew in seen.crews]
