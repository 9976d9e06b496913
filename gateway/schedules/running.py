"""Let schedules go on, run one now, run a past range: what makes due times or jobs outside of the clock.

What is due is judged by Postgres' clock, here as there: by one that is behind it, whoever resumes would fire what came
due during the pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.entrance.problems import Refusal
from gateway.schedules.keeping import Keeper, next_of, no_schedule
from gateway.schedules.orders import Range
from gateway.schedules.request import readable_when, when_in
from persistence.accepting.outbox import Publisher
from persistence.declared.job_types import Catalogue
from persistence.foreign.intake import unknown_type
from persistence.questions.pages import Place
from persistence.schedules import backfill, pages, pause, runs, trigger
from persistence.schedules.job import job_of
from persistence.schedules.pages import Filter
from persistence.schedules.schedule import Run, Schedule, Standing
from persistence.store.database import Database
from wire.errors import Refused
from wire.identity import fresh_id
from wire.times.fires import dues
from wire.tracing import Trace

CHUNK: Final = 500
MOST_BACKFILLED: Final = 10_000  # runs in one request; a day of minutes is 1,440
_TICK: Final = timedelta(microseconds=1)
_TRIES: Final = 5


class Running:
    """Makes runs that no clock makes, and sets the clock going again."""

    def __init__(self, keeper: Keeper, catalogue: Catalogue, database: Database, posts: Publisher) -> None:
        self._keeper, self._catalogue, self._database, self._posts = keeper, catalogue, database, posts

    async def resume(self, schedule_id: UUID) -> Schedule:
        """The schedule as it stands then; one that was not paused stays as it is."""
        for _ in range(_TRIES):
            found = await self._keeper.existing(schedule_id)
            if found.state is not Standing.PAUSED:
                return found
            resumed = await pause.resume(self._database, [(found, next_of(found, await self._database.now()))])
            if resumed:
                return resumed[0]
        raise Refusal("wrong_state", f"schedule {schedule_id} is being changed all the time", field="id")

    async def resume_all(self, which: Filter) -> int:
        """Resume all paused ones that match; says how many."""
        number = 0
        async for chunk in self._paused(which):
            now = await self._database.now()
            readable = [(one, next_of(one, now)) for one in chunk if readable_when(one.plan) is not None]
            number += len(await pause.resume(self._database, readable))
        return number

    async def trigger(self, schedule_id: UUID, at: datetime | None, trace: Trace) -> Run:
        """The run of this instant, or of now, whose message is on its way; asked for again, the one that is there."""
        schedule = await self._keeper.existing(schedule_id)
        job_type = await self._catalogue.find(schedule.plan.job_type)
        if job_type is None:
            refused = unknown_type(schedule.plan.job_type, self._catalogue.names())
            raise Refusal("wrong_state", f"its job type: {refused.problem}", field="id", remedy=refused.remedy)
        due_at = at or await self._database.now()
        job = job_of(schedule, due_at, job_type, trace=trace)
        made = await trigger.trigger(self._database, schedule, due_at, job)
        if made is not None:
            self._posts.give(made[1])
            return made[0]
        known = await runs.page_of_runs(self._database, schedule_id, 1, before=due_at + _TICK)
        if not known or known[0].due_at != due_at:
            raise no_schedule(schedule_id)
        return known[0]

    async def backfill(self, schedule_id: UUID, asked: Range) -> int:
        """How many runs it makes, or would make; the clock makes them."""
        schedule = await self._keeper.existing(schedule_id)
        after = asked.since - _TICK
        # in a thread: it may take half a second, for which nobody else would be answered
        due = await asyncio.to_thread(dues, when_in(schedule.plan), after, asked.until, MOST_BACKFILLED + 1)
        if len(due) > MOST_BACKFILLED:
            problem = f"and since hold more than {MOST_BACKFILLED} due times"
            raise Refused("until", problem, "send parts of the range one after another")
        holes = await backfill.holes(self._database, schedule_id, due)
        if holes and not asked.dry_run:
            await backfill.begin(self._database, fresh_id(), schedule, (after, asked.until), len(holes))
        return len(holes)

    async def _paused(self, which: Filter) -> AsyncIterator[list[Schedule]]:
        place: Place | None = None
        while True:
            found = await pages.page(self._database, replace(which, state=Standing.PAUSED), CHUNK, place)
            if not found:
                return
            yield found
            place = Place(found[-1].created_at, found[-1].id)
