"""A schedule's jobs are listed, whichever way it came to them, and nobody else's."""

from __future__ import annotations

from persistence.questions.pages import Filter, Place
from persistence.questions.reads import page_of_jobs
from persistence.schedules.backfill import begin, carry_on, ordered
from persistence.schedules.job import job_of
from persistence.schedules.schedule import Overlap
from persistence.schedules.trigger import trigger
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO
from tests.room.persistence.schedules.plans import MINUTE, ago, ended, fired_once, made, started
from wire.identity import fresh_id


async def test_a_job_is_listed_that_was_due_or_had_waited_or_was_triggered_or_filled_a_hole(database: Database) -> None:
    schedule, other = await made(database, ago(300), overlap=Overlap.BUFFER_ONE), await made(database, ago(300))
    await fired_once(database, other)
    due = [post.job_id for post in (await fired_once(database, schedule)).posts]
    await fired_once(database, schedule)
    await ended(database, due[0])
    waited = [post.job_id for post in (await started(database, schedule)).posts]
    by_hand = job_of(schedule, ago(1), ECHO)
    await trigger(database, schedule, ago(1), by_hand)
    long_ago = ago(3600)
    await begin(database, fresh_id(), schedule, (long_ago - MINUTE, long_ago), 1)
    async with database.connection() as connection:
        (order,) = [one for one in await ordered(connection, [schedule.segment], 9) if one.schedule.id == schedule.id]
        await carry_on(connection, order, [(long_ago, job_of(schedule, long_ago, ECHO))], long_ago)
    await ended(database, waited[0])
    await ended(database, by_hand.id)
    filled = [post.job_id for post in (await started(database, schedule)).posts]
    newest = await page_of_jobs(database, Filter(schedule_id=schedule.id), 3)
    rest = await page_of_jobs(database, Filter(schedule_id=schedule.id), 3, Place(newest[-1].created_at, newest[-1].id))
    done = await page_of_jobs(database, Filter(schedule_id=schedule.id, state="completed"), 9)

    assert [*filled, by_hand.id, *waited, *due] == [job.id for job in [*newest, *rest]]
    assert [by_hand.id, *waited, *due] == [job.id for job in done]
    assert {schedule.id} == {job.scheduled.id for job in done if job.scheduled}
