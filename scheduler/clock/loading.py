"""Load what is due soon, a page at a time, and prepare it.

Mostly only what lies behind the last horizon is read.  From the beginning it is read when somebody has changed a
schedule, when this clock has got segments, and every few seconds, because a notification may be lost.  What was
prepared and has been changed since does no harm: its turn finds the schedule not as it was, and does nothing.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from persistence.schedules import due
from persistence.schedules.due import BEGINNING, Due, Place
from persistence.schedules.pause import pause
from persistence.schedules.schedule import PausedBecause
from persistence.schedules.segments import Session
from persistence.store.database import Database
from scheduler.clock.ahead import Ahead
from scheduler.clock.database_time import DatabaseTime
from scheduler.clock.prepared import Prepared, prepare

log = structlog.get_logger()

AHEAD: Final = timedelta(seconds=4)  # long enough to prepare a crowd, short enough that little of it changes
PAGE: Final = 200
TURN: Final = 20  # prepared before others on the loop have their turn: some milliseconds
AGAIN_SECONDS: Final = 5.0
NEWS_SECONDS: Final = 0.1  # a thousand changes a second are a thousand notifications
_LAST_ID: Final = UUID(int=2**128 - 1)


class Loading:
    """How far has been read, and what is to be read again."""

    def __init__(self, session: Session, database: Database, database_time: DatabaseTime, ahead: Ahead) -> None:
        self._session, self._database, self._time, self._ahead = session, database, database_time, ahead
        self._place, self._until = BEGINNING, BEGINNING.fires_at
        self._at_end = True
        self._began_at, self._again_at = float("-inf"), 0.0

    @property
    def waits(self) -> float:
        """Seconds until it is read from the beginning; while a walk stands still (see `page`) nothing hurries it."""
        return self._again_at - time.monotonic() if self._at_end else math.inf

    def again(self) -> None:
        """From the beginning, soon: what is there may have changed."""
        self._again_at = min(self._again_at, self._began_at + NEWS_SECONDS)

    async def page(self) -> bool:
        """Read one, if it is time to; says whether there is more."""
        if self._at_end and not self._begin(self._time.now()):
            return False
        if not self._session.held or self._ahead.full:
            return False
        async with self._session.connection() as connection:
            found = await due.load(connection, sorted(self._session.held), PAGE, AHEAD.total_seconds(), self._place)
        await self._prepare(found)
        self._at_end = len(found) < PAGE
        self._place = Place(self._until, _LAST_ID) if self._at_end else _place(found[-1])
        return not self._at_end

    async def put(self, schedules: Iterable[Due]) -> None:
        """These have had a turn, and have another soon; what comes later will be read."""
        horizon = self._until
        await self._prepare([one for one in schedules if _place(one).fires_at <= horizon])

    async def prepared(self, one: Due) -> Prepared | None:
        """Its turn; None of one that nobody can read, which is paused so that it is seen."""
        try:
            return prepare(one, self._time.now())
        except Exception as e:  # a spec of a later version, say: it must not stop the others
            log.exception("schedule_unreadable", schedule_id=str(one.schedule.id))
            await self._pause(one.schedule.id, f"{type(e).__name__}: {e}"[:500])
            return None

    async def _pause(self, schedule_id: UUID, note: str) -> None:
        try:
            await pause(self._database, schedule_id, note, PausedBecause.UNREADABLE)
        except Exception:  # whatever it is, the others have their turn, and this one is met again
            log.exception("schedule_not_paused", schedule_id=str(schedule_id))

    def _begin(self, now: datetime) -> bool:
        """Whether there is something to be read."""
        if self.waits <= 0:
            self._began_at = time.monotonic()
            self._again_at = self._began_at + AGAIN_SECONDS
            self._place = BEGINNING
        elif self._until - now > AHEAD / 2:
            return False
        self._until, self._at_end = now + AHEAD, False
        return True

    async def _prepare(self, schedules: Iterable[Due]) -> None:
        fresh = [one for one in schedules if not self._ahead.knows(one)]
        for number, one in enumerate(fresh, start=1):
            if (prepared := await self.prepared(one)) is not None:
                self._ahead.put(prepared)
            if number % TURN == 0:
                await asyncio.sleep(0)


def _place(one: Due) -> Place:
    assert one.schedule.next.fires_at is not None
    return Place(one.schedule.next.fires_at, one.schedule.id)
