"""All that is done to schedules, at once: nobody deadlocks, and each due time has one run and at most one job."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from persistence.declared.job_types import register
from persistence.schedules import backfill, buffered, change, close, due, forget, pause
from persistence.schedules.fire import Missed, Turn, fire
from persistence.schedules.job import job_of
from persistence.schedules.read import get
from persistence.schedules.schedule import Kind, Overlap, Schedule
from persistence.schedules.trigger import trigger
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO
from tests.room.persistence.schedules.plans import MINUTE, ago, at, made, turn
from wire.identity import fresh_id
from wire.segments import SEGMENTS

ALL = range(SEGMENTS)
SCHEDULES = 40
LEAST_ROUNDS = 8  # of each, on a machine that is busy with other things too
_ENDED = """
WITH l AS MATERIALIZED (SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 30 FOR UPDATE SKIP LOCKED)
UPDATE jobs SET state = $1, finished_at = clock_timestamp() FROM l WHERE jobs.id = l.id
"""
_DOUBLE = """
SELECT r.schedule_id, r.due_at FROM schedule_runs r LEFT JOIN jobs j ON j.id = r.job_id
 WHERE (r.fate = 'fired') <> (j.id IS NOT NULL)
"""
_STRAY = "SELECT id FROM jobs j WHERE NOT EXISTS (SELECT FROM schedule_runs r WHERE r.job_id = j.id)"
_COUNTED = """
SELECT s.id FROM schedules s
 WHERE s.fired <> (SELECT count(*) FROM schedule_runs r
                    WHERE r.schedule_id = s.id AND r.fate = 'fired' AND r.kind NOT IN ('triggered', 'backfill'))
"""


class Crowd:
    """Schedules, and all who do something to them; clocks that hold the same segments, which they should not."""

    def __init__(self, database: Database, schedules: list[Schedule]) -> None:
        self._database, self._ids = database, [one.id for one in schedules]
        self._dice = random.Random(8)
        self.fired: list[UUID] = []

    async def turn(self) -> None:
        """A clock's round."""
        async with self._database.connection() as connection:
            found = await due.load(connection, ALL, 100)
            done = await fire(connection, [self._turn(one.schedule) for one in found])
        self.fired += [post.job_id for post in done.posts]

    async def keep_up(self) -> None:
        async with self._database.connection() as connection:
            await close.close(connection, ALL, None, 100)
            waits = await buffered.waiting(connection, ALL, 30)
            await buffered.start(connection, [(one, job_of(one.schedule, one.due_at, ECHO)) for one in waits])
            for order in await backfill.ordered(connection, ALL, 10):
                reached = min(order.backfill.reached + 3 * MINUTE, order.backfill.until)
                dues = [order.backfill.reached + n * MINUTE for n in (1, 2, 3)]
                jobs = [(instant, job_of(order.schedule, instant, ECHO)) for instant in dues if instant <= reached]
                await backfill.carry_on(connection, order, jobs, reached)
        await forget.forget_runs(self._database, forget.START, 100)

    async def work(self) -> None:
        """What workers do to the rows."""
        await self._database.fetch(_ENDED, self._dice.choice(["completed", "completed", "failed", "cancelled"]))

    async def meddle(self) -> None:
        """What people do."""
        schedule = await get(self._database, self._dice.choice(self._ids))
        if schedule is None:
            return
        now = datetime.now(UTC)
        match self._dice.randrange(12):
            case 0 | 1 | 2:
                await pause.pause(self._database, schedule.id, None)
            case 3 | 4 | 5:
                await pause.resume(self._database, [(schedule, at(ago(240)))])
            case 6 | 7:
                plan = replace(schedule.plan, spec="{}", overlap=self._dice.choice(list(Overlap)))
                await change.change(self._database, schedule, plan, at(ago(240)))
            case 8:
                await trigger(self._database, schedule, now, job_of(schedule, now, ECHO))
            case 9 | 10 if schedule.next.due_at:
                past = (schedule.next.due_at - 9 * MINUTE, schedule.next.due_at)
                await backfill.begin(self._database, fresh_id(), schedule, past, 9)
            case 11 if self._dice.random() < 0.2:
                await change.delete(self._database, schedule.id)

    async def until(self, deadline: float, thing: Callable[[], Awaitable[None]]) -> int:
        rounds = 0
        while time.monotonic() < deadline or rounds < LEAST_ROUNDS:
            await thing()
            rounds += 1
        return rounds

    def _turn(self, schedule: Schedule) -> Turn:
        """Now and then a few due times were missed before it."""
        missed, plain = schedule.next.due_at, turn(schedule)
        if missed is None or self._dice.random() < 0.8:
            return plain
        now, coming = missed + 3 * MINUTE, at(missed + 4 * MINUTE)
        job, stretch = job_of(schedule, now, ECHO), Missed(3, missed, missed + 2 * MINUTE)
        return replace(plain, coming=coming, due_at=now, kind=Kind.CAUGHT_UP, job=job, missed=stretch)


async def test_nobody_deadlocks_and_each_due_time_has_one_job(database_url: str, long: bool) -> None:
    """
    Five minutes in the long form.  Postgres counts the deadlocks by itself.
    """
    database = Database(database_url, "test", connections=8, timeout_seconds=20)
    await register(database, [ECHO])
    far = ago(timedelta(days=9).total_seconds())
    schedules = [await made(database, far, overlap=policy) for policy in list(Overlap) * (SCHEDULES // 5)]
    crowd, deadline = Crowd(database, schedules), time.monotonic() + (300.0 if long else 3.0)
    things = [crowd.turn] * 3 + [crowd.keep_up] * 2 + [crowd.work, crowd.meddle, crowd.meddle]

    rounds = await asyncio.gather(*[crowd.until(deadline, thing) for thing in things])
    (row,) = await database.fetch("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")

    assert 0 == row["deadlocks"]
    assert len(crowd.fired) == len(set(crowd.fired))
    fates = await database.fetch("SELECT fate, count(*) AS runs FROM schedule_runs GROUP BY fate")
    assert {"fired", "skipped", "missed"} <= {row["fate"] for row in fates}
    for statement in (_DOUBLE, _STRAY, _COUNTED):
        assert [] == list(await database.fetch(statement))
    print(f"{sum(rounds)} rounds, { ({row['fate']: row['runs'] for row in fates}) }")
    await database.stop()
