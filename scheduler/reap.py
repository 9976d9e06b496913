"""Reap: find the processes that are gone, and send again the jobs they leave behind.

Who is silent for longer than a lease counts as dead, but only by the word of one who has watched for that long without
a break (see unbroken.py).  The dead are buried (see crashes.py); their jobs have a few seconds to be taken over
by the broker's own redelivery, then each gets a fresh message.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from persistence.crew import crashes, reaping
from persistence.store.database import COLLIDED, Database
from scheduler.rounds import Rounds
from scheduler.unbroken import Unbroken
from wire.errors import DatabaseUnavailable
from wire.settings import Scheduler

log = structlog.get_logger()

GRACE: Final = timedelta(seconds=5)  # the broker sends a closed connection's messages again within moments
AGAIN_AFTER: Final = timedelta(seconds=30)  # doubles for a job whose workers die again and again


class Reaper(Rounds):
    """A round looks once, and judges if it may."""

    def __init__(self, database: Database, settings: Scheduler, lease_seconds: float) -> None:
        super().__init__("reap", settings.reap_seconds, full=settings.rescue_batch)
        self._database, self._batch = database, settings.rescue_batch
        self._lease = timedelta(seconds=lease_seconds)
        self._unbroken = Unbroken(max(self._lease / 2, timedelta(seconds=2 * settings.reap_seconds)))

    async def once(self) -> int:
        """Bury and send again; says how many jobs were sent."""
        try:
            found = await reaping.dead(self._database, self._lease, GRACE)
        except (DatabaseUnavailable, *COLLIDED):
            self._unbroken.lost()
            raise
        if self._unbroken.seen(found.now) < self._lease:
            return 0
        if found.sessions:
            lease_seconds = self._lease.total_seconds()
            orphans = await crashes.bury(self._database, found.sessions, silent_seconds=lease_seconds)
            log.warning("workers_lost", workers=len(found.sessions), jobs=orphans)
        sent = await reaping.send_orphans(self._database, self._batch, GRACE, AGAIN_AFTER)
        if sent:
            log.warning("jobs_of_lost_workers_sent_again", jobs=sent)
        return sent
