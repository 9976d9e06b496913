"""What the clock does between due times: see how runs ended, start those that waited for that, carry on backfills, and
correct what is due by a zone's new rules (see zones.py).

On the connection that holds the segments, a small piece at a time, and only while nothing is due: no due time waits for
more than one statement of these.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from persistence.accepting.submission import Submission
from persistence.schedules import backfill, buffered, close
from persistence.schedules.backfill import Ordered
from persistence.schedules.buffered import Waiting
from persistence.schedules.close import Place
from persistence.schedules.job import job_of
from persistence.schedules.segments import Session
from persistence.store.database import COLLIDED
from scheduler.clock import spans
from scheduler.clock.prepared import when_of
from scheduler.clock.runs import Runs
from scheduler.clock.zones import Zones
from wire.errors import Unavailable
from wire.metrics import table as metrics
from wire.times.fires import dues

log = structlog.get_logger()

NAME: Final = "clock upkeep"
EVERY_SECONDS: Final = 0.5
IDLE_SECONDS: Final = 2.0  # after a while in which there was nothing: each look is three questions to Postgres
CLOSED: Final = 500  # open runs looked at by one statement
CLOSING_SECONDS: Final = 0.1  # of a round: with the workers down for an hour there are more than a walk gets through
STARTED: Final = 100
ORDERS: Final = 50  # backfills looked at, of which some may have to wait for a worker that knows their type
BACKFILLS: Final = 4  # carried on with
FILLED: Final = 25  # runs of each at once: so fifty a second of one, beside which what is due is not late

T = TypeVar("T")
Piece = Callable[[list[int]], Awaitable[bool]]  # on these segments; says whether there is more


class Upkeep:
    """Four pieces by turns, of which each is soon done."""

    def __init__(self, session: Session, runs: Runs) -> None:
        self._session, self._runs = session, runs
        self._place: Place | None = None
        self._closing = 0.0  # seconds of this round
        self._pieces: tuple[Piece, ...] = (self._close, self._start_waiting, self._carry_on, Zones(session).piece)
        self._next, self._due_at = 0, 0.0
        self._pause, self._found = EVERY_SECONDS, False

    def news(self) -> None:
        """There is, or will be, something to do."""
        self._pause = EVERY_SECONDS
        self._due_at = min(self._due_at, time.monotonic() + EVERY_SECONDS)

    @property
    def waits(self) -> float:
        """Seconds until there is something to be done."""
        return self._due_at - time.monotonic()

    async def piece(self) -> None:
        """Do the next; after the last one there is a pause."""
        segments = sorted(self._session.held)
        more = bool(segments) and await self._guarded(self._pieces[self._next], segments)
        if not more:
            self._next = (self._next + 1) % len(self._pieces)
            if self._next == 0:
                self._pause = EVERY_SECONDS if self._found else min(IDLE_SECONDS, self._pause * 1.5)
                self._found, self._due_at = False, time.monotonic() + self._pause

    async def _guarded(self, piece: Callable[[T], Awaitable[bool]], of: T) -> bool:
        try:
            return await piece(of)
        except (Unavailable, *COLLIDED):
            raise  # it is the session's, and so the whole turn's
        except Exception:  # not foreseen: it must not cost what is due; its rows stay as they are
            metrics.ROUNDS_FAILED.add(NAME)
            log.exception("round_failed", loop=NAME)
            return False

    async def _close(self, segments: list[int]) -> bool:
        """The rest of a long walk waits for the next round."""
        began = time.monotonic()
        async with self._session.connection() as connection:
            closed = await close.close(connection, segments, self._place, CLOSED)
        for schedule_id in closed.paused:
            log.warning("schedule_paused_after_failures", schedule_id=str(schedule_id))
        self._place = closed.after
        self._found |= closed.runs > 0 or self._place is not None
        self._closing += time.monotonic() - began
        more = self._place is not None and self._closing < CLOSING_SECONDS
        self._closing = self._closing if more else 0.0
        return more

    async def _start_waiting(self, segments: list[int]) -> bool:
        async with self._session.connection() as connection:
            waiting = await buffered.waiting(connection, segments, STARTED)
        if waiting:
            self._found = True
            await self._runs.start_waiting([(one, _job(one)) for one in waiting])
        return len(waiting) == STARTED

    async def _carry_on(self, segments: list[int]) -> bool:
        async with self._session.connection() as connection:
            orders = await backfill.ordered(connection, segments, ORDERS)
        self._found |= bool(orders)
        # one whose type nobody has registered waits for that
        for order in [one for one in orders if one.job_type is not None][:BACKFILLS]:
            await self._guarded(self._fill, order)
        return False

    async def _fill(self, order: Ordered) -> bool:
        assert order.job_type is not None
        schedule, until = order.schedule, order.backfill.until
        found = dues(when_of(schedule.plan.spec), order.backfill.reached, until, FILLED)
        jobs = [(due, job_of(schedule, due, order.job_type, trace=spans.begin())) for due in found]
        await self._runs.backfill(order, jobs, found[-1] if len(found) == FILLED else until)
        return False


def _job(one: Waiting) -> Submission | None:
    return None if one.job_type is None else job_of(one.schedule, one.due_at, one.job_type, trace=spans.begin())
