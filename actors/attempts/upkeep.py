"""What reaches a running attempt from outside: its time limit, a request to cancel it, the loss of its lease.

An async attempt is interrupted at its next await.  A sync one can only be asked (`cancelled()`): when it does not end
within a grace after its limit it is recorded as timed out and the process recycles, because its zombie must not run
beside its retry.  Also writes the progress that jobs report.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from actors.attempts.attempt import Attempt
from actors.attempts.verdict import CancelAsked, LeaseLost, TimedOut
from persistence.attempts import progress
from persistence.attempts.progress import Progress
from persistence.crew.workers import Held, Orders
from persistence.store.database import COLLIDED, Database
from wire import control
from wire.errors import DatabaseUnavailable

log = structlog.get_logger()

TICK_SECONDS: Final = 0.1  # how late a time limit may be noticed
GRACE_SECONDS: Final = 5.0  # how long a sync actor may take to notice that it should stop


class Upkeep:
    """Looks after the attempts that run in this process; starts and settles none."""

    def __init__(self, running: Mapping[UUID, Attempt], database: Database, overdue: Callable[[Attempt], None]) -> None:
        self._running, self._database, self._overdue = running, database, overdue
        self.on_beat: Callable[[control.Beat], None] = lambda _: None
        self.ticked = time.monotonic()  # the heartbeat's thread sees by it whether the loop is blocked

    def held(self) -> list[Held]:
        """What the heartbeat asks about; called from its thread."""
        return [Held(attempt.context.job_id, attempt.claim.lease) for attempt in list(self._running.values())]

    def standing_in(self, task: asyncio.Task[object] | None) -> Attempt | None:
        """The attempt whose code this task runs; called from the heartbeat's thread, while the loop is blocked."""
        return next((one for one in list(self._running.values()) if task is not None and one.owns(task)), None)

    def obey(self, orders: Orders, held: Sequence[Held]) -> None:
        """The heartbeat's answer about what was held when it asked; a start since then is not meant."""
        for one in held:
            attempt = self._running.get(one.job_id)
            if attempt is None or attempt.claim.lease != one.lease:
                continue
            if one.job_id in orders.cancel:
                attempt.cancel(CancelAsked())
            elif one.job_id in orders.lost:
                attempt.cancel(LeaseLost())

    def hear(self, body: bytes) -> None:
        """A hint from the control exchange: the same as an order, only sooner."""
        hint = control.read(body)
        if isinstance(hint, control.Beat):
            self.on_beat(hint)
            return
        attempt = self._running.get(hint.job_id) if hint else None
        if attempt and hint and hint.means(attempt.claim.lease):
            attempt.cancel(CancelAsked())

    async def watch_the_time(self, rest: Callable[[], Awaitable[object]]) -> None:
        """Interrupt what is beyond its limit; waits for no store, so that an outage makes no limit longer."""
        while True:
            await rest()
            await asyncio.sleep(TICK_SECONDS)
            self.ticked = now = time.monotonic()
            for attempt in list(self._running.values()):
                if now > attempt.deadline:
                    attempt.cancel(TimedOut(timedelta(seconds=attempt.claim.timeout_seconds)))
                if attempt.on_thread and now > attempt.deadline + GRACE_SECONDS:
                    self._overdue(attempt)

    async def write_progress(self) -> None:
        """What the jobs have said since the last time."""
        said = []
        for attempt in self._running.values():
            if attempt.context.progress is not None:
                fraction, note = attempt.context.progress
                attempt.context.progress = None
                said.append(Progress(attempt.context.job_id, attempt.claim.lease, fraction, note))
        try:
            await progress.write(self._database, said)
        except (DatabaseUnavailable, *COLLIDED) as e:
            log.warning("progress_not_written", jobs=len(said), error=str(e))  # the next word will do
