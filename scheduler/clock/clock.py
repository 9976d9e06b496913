"""The loop that makes the runs: hold segments, load what is due soon, sleep until its moment, fire it.

One loop on one connection does all of it, and has a turn twice a second whatever is due.  So whoever sees it turn knows
that runs are made, and one that stands still is silent for Postgres and loses its segments to another clock.

What goes wrong with a turn costs this turn: what was loaded is forgotten and read again.  The database decides what is
due, and its clock is the only one (see database_time.py); a due time that was fired stays fired, whatever that does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from persistence.schedules.schedule import Kind
from persistence.schedules.segments import Session
from persistence.store.database import Database
from scheduler.clock.ahead import Ahead
from scheduler.clock.database_time import DatabaseTime
from scheduler.clock.hold import hold
from scheduler.clock.loading import Loading
from scheduler.clock.prepared import Prepared
from scheduler.clock.runs import Runs
from scheduler.clock.step import LATE
from scheduler.clock.upkeep import Upkeep
from scheduler.rounds import Rounds
from wire.metrics import table as metrics
from wire.rabbitmq.amqp import Broker
from wire.segments import stretches
from wire.settings import Scheduler
from wire.signature import signature

LOOK_SECONDS: Final = 0.5
LACKING_SECONDS: Final = 0.1  # while another has not let go yet what is to be ours
BATCH: Final = 500  # runs a statement makes
TIGHT_SECONDS: Final = 0.03  # nothing else is begun so shortly before a moment
LONGEST_WAIT_SECONDS: Final = 1.0  # ... but for upkeep that has waited for so long: something may be due all the time
MARGIN_SECONDS: Final = 0.0005  # what we may be wrong by about the database's time: it refuses who comes early
STOOD_STILL_SECONDS: Final = 30.0  # longer than all deadlines of one turn together


class Clock(Rounds):
    """A round is a turn; it says itself how long it may sleep then."""

    def __init__(self, database: Database, broker: Broker, settings: Scheduler) -> None:
        super().__init__("clock", LOOK_SECONDS)
        self._session = Session(database, stretches(settings.segments), signature("clock"))
        self._time, self._ahead = DatabaseTime(), Ahead()
        self._loading = Loading(self._session, database, self._time, self._ahead)
        self._runs = Runs(self._session, database, broker, self._time)
        self._upkeep = Upkeep(self._session, self._runs)
        self._look_at = 0.0
        self._turned_at = time.monotonic()

    async def start(self) -> None:
        await self._runs.start()
        await super().start()

    async def stop(self) -> None:
        """Make no more runs, let go of the segments at once, and publish what has been made."""
        await super().stop()
        await self._session.stop()
        await self._runs.stop()

    def wake(self) -> None:
        """Somebody has changed a schedule."""
        self._loading.again()
        self._upkeep.news()
        super().wake()

    def look(self) -> None:
        """For the metrics; told when somebody asks, so that a loop that stands still is seen to."""
        metrics.CLOCK_TURN_AGE.set(time.monotonic() - self._turned_at)
        metrics.SEGMENTS.set(len(self._session.held))
        metrics.CLOCK_AHEAD.set(len(self._ahead))

    def trouble(self) -> str | None:
        """With a store away a turn fails in its time; one that does not end makes no runs."""
        age = time.monotonic() - self._turned_at
        return f"the clock has stood still for {age:.0f} s" if age > STOOD_STILL_SECONDS else None

    async def once(self) -> int:
        """A turn; says how many schedules had theirs."""
        self._every = LOOK_SECONDS  # after a failure
        try:
            done = await self._turn()
        except BaseException:
            self._forget()
            raise
        finally:
            self._turned_at = time.monotonic()
        return done

    async def _turn(self) -> int:
        if time.monotonic() >= self._look_at:
            await self._look()
        more = await self._loading.page()
        done = await self._fire()
        if not done and not more and self._has_time_for_upkeep():
            await self._upkeep.piece()
        self._every = 0.0 if more or done else self._sleeps()
        return done

    async def _look(self) -> None:
        grip = await hold(self._session, self._time)
        if grip.gained or grip.was_set:
            self._loading.again()
        if grip.gained:
            await self._runs.inherit(grip.gained)
        self._ahead.keep(self._session.held)
        self._look_at = time.monotonic() + (LACKING_SECONDS if grip.lacking else LOOK_SECONDS)

    async def _fire(self) -> int:
        """Take the turns whose moment has come."""
        taken = self._ahead.take(self._time.now(), BATCH)
        ready = [one for one in await self._judged(taken) if one is not None]
        if ready:
            fired = await self._runs.fire([one.turn for one in ready])
            self._upkeep.news()
            done = [one for one in ready if one.due.schedule.id in fired.fates]
            if len(done) < len(ready):
                self._loading.again()  # changed since it was read
            await self._loading.put([after for one in done if (after := one.after) is not None])
        return len(taken)

    async def _judged(self, taken: Sequence[Prepared]) -> list[Prepared | None]:
        """What counts as missed is judged by what time it is this very moment, not by what it was at the last look.

        Else a clock that has just been set back would pass over an hour that is still to come.
        """
        if not any(self._is_of_the_past(one) for one in taken):
            return list(taken)
        asked = time.monotonic()
        if self._time.told(await self._session.now(), asked, time.monotonic()):
            self._loading.again()
        return [await self._loading.prepared(one.due) if self._is_of_the_past(one) else one for one in taken]

    def _is_of_the_past(self, one: Prepared) -> bool:
        """Missed it was when it was prepared, or has become since."""
        return one.turn.kind is Kind.CAUGHT_UP or one.turn.missed is not None or self._time.now() - one.fires_at > LATE

    def _has_time_for_upkeep(self) -> bool:
        return self._upkeep.waits <= (-LONGEST_WAIT_SECONDS if self._is_tight() else 0.0)

    def _is_tight(self) -> bool:
        earliest = self._ahead.earliest()
        return earliest is not None and self._time.until(earliest) < TIGHT_SECONDS

    def _sleeps(self) -> float:
        waits = [self._look_at - time.monotonic(), self._loading.waits]
        if not self._is_tight():
            waits.append(self._upkeep.waits)
        if (earliest := self._ahead.earliest()) is not None:
            waits.append(self._time.until(earliest) + MARGIN_SECONDS)
        return max(0.0, min(waits))

    def _forget(self) -> None:
        """Nobody knows how the session stands, and what time it is there."""
        self._ahead.clear()
        self._loading.again()
        self._time.forget()
        self._look_at = 0.0
