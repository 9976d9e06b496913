"""Clocks that overlap, workers, and people who edit, pause, trigger and delete, all on the same thirty schedules.

Three clocks fire here on every segment, as no two ever should: what keeps a due time from being run twice is the
statement, and the locks only keep clocks out of each other's way.  What a clock does beside that, one does.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from persistence.declared.job_types import register
from persistence.schedules import backfill, buffered, change, close, due, pages, pause, trigger
from persistence.schedules.fire import Fired, Turn, fire
from persistence.schedules.job import job_of
from persistence.schedules.pages import Filter
from persistence.schedules.schedule import Fate, Overlap, Schedule, Standing
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO
from tests.room.persistence.schedules.plans import ago, at, made, turn
from wire.identity import fresh_id

SCHEDULES: Final = 30
MOST_RUNS: Final = 40
LEAST_ROUNDS: Final = 8  # of each, on a machine that is busy with other things too
TICK: Final = timedelta(seconds=1)
SEGMENTS: Final = list(range(128))
SHARE: Final = 0.3  # of the jobs that are open, how many a worker ends at once

COUNTED: Final = """
SELECT s.id, s.fired, s.max_runs, count(r) FILTER (WHERE r.kind = 'due' AND r.fate = 'fired') AS runs
  FROM schedules s LEFT JOIN schedule_runs r ON r.schedule_id = s.id GROUP BY s.id
"""
LEFT: Final = """
SELECT r.fate, r.job_id FROM schedule_runs r LEFT JOIN jobs j ON j.id = r.job_id
 WHERE (r.fate = 'fired') <> (j.id IS NOT NULL)
    OR r.fate = 'buffered' AND NOT EXISTS (SELECT FROM schedules s WHERE s.id = r.schedule_id)
"""
END_SOME: Final = """
WITH ended AS MATERIALIZED (
  SELECT id FROM jobs WHERE finished_at IS NULL AND random() < $1 ORDER BY id FOR UPDATE
)
UPDATE jobs j
   SET state = CASE WHEN random() < 0.8 THEN 'completed' ELSE 'failed' END, finished_at = clock_timestamp()
  FROM ended WHERE j.id = ended.id AND j.finished_at IS NULL
"""


class Crowd:
    """Everybody at his own thing until the time is over."""

    def __init__(self, database: Database) -> None:
        self._database, self._dice = database, random.Random(7)
        self.posts: Counter[UUID] = Counter()

    async def fire(self) -> None:
        """What a clock does, ten at a time, so that others come between."""
        async with self._database.connection() as connection:
            found = await due.load(connection, SEGMENTS, 10)
        async with self._database.connection() as connection:
            self._note(await fire(connection, [self._turn(one.schedule) for one in found]))

    async def keep_up(self) -> None:
        """What it does beside that."""
        async with self._database.connection() as connection:
            await close.close(connection, SEGMENTS, None, 1_000)
        async with self._database.connection() as connection:
            waits = await buffered.waiting(connection, SEGMENTS, 10)
            jobs = [job_of(one.schedule, one.due_at, ECHO) for one in waits]
            self._note(await buffered.start(connection, list(zip(waits, jobs, strict=True))))

    async def fill(self) -> None:
        """Carry on with what somebody wants to be run of the past."""
        async with self._database.connection() as connection:
            for order in await backfill.ordered(connection, SEGMENTS, 5):
                first = order.backfill.reached
                dues = [first + n * TICK for n in range(1, 4) if first + n * TICK <= order.backfill.until]
                jobs = [(one, job_of(order.schedule, one, ECHO)) for one in dues]
                reached = dues[-1] if dues else order.backfill.until
                self._note(await backfill.carry_on(connection, order, jobs, reached))

    async def work(self) -> None:
        """End some jobs."""
        await self._database.fetch(END_SOME, SHARE)
        await asyncio.sleep(0.02)

    async def meddle(self) -> None:
        """A person: edits, pauses and resumes, triggers, fills, deletes and makes anew."""
        one = self._dice.choice(await pages.page(self._database, Filter(), SCHEDULES))
        deed = self._dice.choice([self._edit, self._pause, self._trigger, self._backfill, self._renew])
        await deed(one)
        await asyncio.sleep(0.005)

    async def until(self, deadline: float, thing: Callable[[], Awaitable[None]]) -> None:
        rounds = 0
        while time.monotonic() < deadline or rounds < LEAST_ROUNDS:
            await thing()
            rounds += 1

    async def make(self) -> None:
        overlap = self._dice.choice(list(Overlap))
        most = self._dice.choice([None, MOST_RUNS])
        await made(self._database, ago(3_600), overlap=overlap, max_runs=most, pause_after_failures=5)

    def _turn(self, schedule: Schedule) -> Turn:
        assert schedule.next.due_at is not None
        return turn(schedule, at(schedule.next.due_at + TICK))

    def _note(self, fired: Fired) -> None:
        self.posts.update(post.job_id for post in fired.posts)

    async def _edit(self, one: Schedule) -> None:
        plan = replace(one.plan, description=str(self._dice.random()))
        await change.change(self._database, one, plan, one.next)

    async def _pause(self, one: Schedule) -> None:
        await pause.pause(self._database, one.id, "for a moment")
        paused = [o for o in await pages.page(self._database, Filter(), SCHEDULES) if o.state is Standing.PAUSED]
        await pause.resume(self._database, [(o, at(ago(self._dice.randint(60, 3_600)))) for o in paused])

    async def _trigger(self, one: Schedule) -> None:
        now = ago(0)
        if triggered := await trigger.trigger(self._database, one, now, job_of(one, now, ECHO)):
            self.posts.update(post.job_id for post in triggered[1])

    async def _backfill(self, one: Schedule) -> None:
        since = ago(self._dice.randint(60, 7_200))
        await backfill.begin(self._database, fresh_id(), one, (since, since + 20 * TICK), 20)

    async def _renew(self, one: Schedule) -> None:
        await change.delete(self._database, one.id)
        await self.make()


async def test_no_due_time_is_run_twice_and_none_too_many_whoever_meddles(database_url: str, long: bool) -> None:
    """
    Every run that fired has its job, each job one message, each schedule as many runs as it may have and counts.
    """
    database = Database(database_url, "test", connections=10, timeout_seconds=20)
    await register(database, [ECHO])
    crowd, deadline = Crowd(database), time.monotonic() + (300.0 if long else 5.0)
    for _ in range(SCHEDULES):
        await crowd.make()
    things = [crowd.fire] * 3 + [crowd.keep_up, crowd.fill, crowd.work, crowd.meddle]

    await asyncio.gather(*[crowd.until(deadline, thing) for thing in things])
    counted = await database.fetch(COUNTED)
    left = await database.fetch(LEFT)
    (row,) = await database.fetch("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    fates = Counter(r["fate"] for r in await database.fetch("SELECT fate FROM schedule_runs"))
    await database.stop()

    assert {Fate.FIRED, Fate.SKIPPED} <= set(fates)
    assert [] == [one for one in counted if one["fired"] != one["runs"]]
    assert [] == [one for one in counted if one["max_runs"] and one["fired"] > one["max_runs"]]
    assert [] == [tuple(one) for one in left]
    assert {1} == set(crowd.posts.values())
    assert 0 == row["deadlocks"]
