"""What stands still: no job of a paused type starts, none is lost, and all go on when it is resumed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from persistence.accepting import outbox
from persistence.attempts.claim import Answer
from persistence.crew import workers
from persistence.crew.workers import Pulse
from persistence.declared import pauses
from persistence.declared.pauses import Kind
from persistence.mending import neglected, rescue
from persistence.mending.rescue import Overtaken
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, field, submission, working

BEAT = Pulse(free_slots=1, consuming=True, idle_seconds=None)
HELD = "SELECT job_id, run, held_for FROM outbox WHERE held_for IS NOT NULL ORDER BY job_id"


async def pause(database: Database, kind: Kind = Kind.TYPE, name: str = "echo") -> None:
    await pauses.pause(database, kind, name, by="ada", note=None)


async def test_a_job_of_a_paused_type_is_held_and_not_claimed(database: Database) -> None:
    """
    Its old message is answered for, whoever brings it; the new one lies in the outbox and no sweep takes it.
    """
    session, job, other = await working(database), submission(), submission(type="other")
    await accepted(database, job, other)
    await database.fetch("DELETE FROM outbox")
    await pause(database)
    answers = [(await ask(database, session, one)).answer for one in (job, job, other)]
    swept = await outbox.lease(database, 10, 10.0)

    assert [Answer.PAUSED, Answer.STALE, Answer.CLAIMED] == answers
    assert [(job.id, 2, "echo")] == [tuple(row.values()) for row in await database.fetch(HELD)]
    assert ("queued", 0, 0) == tuple([await field(database, job, name) for name in ("state", "attempt", "lease")])
    assert ([], []) == swept


async def test_it_goes_on_when_its_type_is_resumed(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(3)]
    await accepted(database, *jobs)
    await database.fetch("DELETE FROM outbox")
    await pause(database)
    for job in jobs:
        await ask(database, session, job)
    still = await pauses.release(database, 10)
    await pauses.resume(database, Kind.TYPE, "echo")
    released = [await pauses.release(database, 2) for _ in range(3)]
    posts, _ = await outbox.lease(database, 10, 10.0)

    assert (0, [2, 1, 0]) == (still, released)
    assert sorted((job.id, 2) for job in jobs) == sorted((post.job_id, post.run) for post in posts)
    assert Answer.CLAIMED == (await ask(database, session, jobs[0], run=2)).answer


async def test_what_ran_when_its_worker_died_is_held_too_and_no_attempt_is_burned(database: Database) -> None:
    dead, heir, job = await working(database), await working(database), submission()
    await accepted(database, job)
    await ask(database, dead, job)
    await pause(database)
    await workers.end(database, dead)
    answer = await ask(database, heir, job)
    held = [await field(database, job, name) for name in ("state", "attempt", "holder", "orphaned_at")]
    await pauses.resume(database, Kind.TYPE, "echo")
    again = await ask(database, heir, job, run=2)

    assert (Answer.PAUSED, ["queued", 0, None, None]) == (answer.answer, held)
    assert (Answer.CLAIMED, 2, 1) == (again.answer, again.lease, again.attempt)


async def test_a_job_that_is_not_due_is_parked_and_a_cancelled_one_ends_as_ever(database: Database) -> None:
    session, early, asked = await working(database), submission(starts_in=timedelta(hours=1)), submission()
    await accepted(database, early, asked)
    await database.fetch("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", asked.id)
    await pause(database)

    assert [Answer.PARKED, Answer.ENDED] == [(await ask(database, session, job)).answer for job in (early, asked)]
    assert [] == await database.fetch(HELD)


async def test_nobody_takes_a_held_job_for_lost_or_for_neglected(database: Database) -> None:
    """
    More of them than one look takes: those that are really lost must be found behind them.
    """
    held, lost = [submission() for _ in range(3)], submission(type="other")
    await accepted(database, *held, lost)
    await database.fetch("DELETE FROM outbox")
    await database.fetch("UPDATE jobs SET created_at = now() - interval '1 h' WHERE type = 'echo'")
    await database.fetch("UPDATE jobs SET created_at = now() - interval '1 min' WHERE type = 'other'")
    await pause(database)
    session = await working(database)
    for job in held:
        await ask(database, session, job)
    overtaken = [Overtaken("default", 5, datetime.now(UTC))]
    rescued = await rescue.send_overtaken(database, overtaken, 2, timedelta(seconds=1))
    found = await neglected.find(database, ["default"], ["echo", "other"], below=10, limit=2)
    await pause(database, Kind.QUEUE, "default")
    none = await neglected.find(database, ["default"], ["echo", "other"], below=10, limit=2)

    assert (1, 2) == (rescued, await field(database, lost, "run"))
    assert ([], []) == ([message.message_id for message in found if message.type == "echo"], none)


async def test_a_look_at_the_outbox_does_not_walk_over_what_is_held(database: Database) -> None:
    """
    There may be a million of them, and the sweep looks every second.
    """
    await database.fetch(
        "INSERT INTO outbox (job_id, run, publish_after, held_for)"
        " SELECT gen_random_uuid(), 1, 'infinity', 'echo' FROM generate_series(1, 20000)"
    )
    await database.fetch("ANALYZE outbox")  # as autovacuum does
    plan = [row["QUERY PLAN"] for row in await database.fetch(f"EXPLAIN (ANALYZE) {outbox._LEASE}", 500, 10.0, 300.0)]

    assert [] == [line for line in plan if "Rows Removed by Filter" in line]
    assert [line for line in plan if "outbox_to_publish" in line]


async def test_a_heartbeat_is_told_which_queues_stand_still_and_whether_to_drain(database: Database) -> None:
    session = await working(database)
    first = await workers.beat(database, session, BEAT)
    await pause(database, Kind.QUEUE, "default")
    await pause(database, Kind.TYPE, "echo")
    await database.fetch("UPDATE workers SET drain_requested_at = now()")
    second = await workers.beat(database, session, BEAT)

    assert (frozenset(), False) == (first.paused, first.drain)
    assert (frozenset({"default"}), True) == (second.paused, second.drain)
    assert {"default"} == await pauses.paused_queues(database)
