"""Forget what has had its day, slowly: small batches with a pause between them, so that it is never felt.

A job is kept at least until its birth cannot be queued any more: since `births` was last seen empty.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from persistence.articles import forget as articles
from persistence.crawls import forget as crawls
from persistence.ending import retention
from persistence.ending.retention import Rule
from persistence.schedules import forget
from persistence.store.database import Database
from scheduler.rounds import Rounds
from wire.lifecycle import pause
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler
from wire.states import State
from wire.topology import BIRTHS

log = structlog.get_logger()

ROUND_SECONDS: Final = 60.0
BATCH: Final = 1_000
PAUSE_SECONDS: Final = 0.05
RUN_BATCHES: Final = 100  # a round, or a million schedules with a few old runs each would keep it busy for hours
IN_HAND: Final = timedelta(minutes=1)  # births that the recorder has taken and not yet recorded


class Retention(Rounds):
    """A round is a pass over all that has ended."""

    def __init__(self, database: Database, broker: Broker, settings: Scheduler) -> None:
        super().__init__("retention", ROUND_SECONDS)
        self._database, self._broker = database, broker
        completed, failed = (
            timedelta(seconds=settings.completed_ttl_seconds),
            timedelta(seconds=settings.failed_ttl_seconds),
        )
        self._ttls = {
            State.COMPLETED: completed, State.FAILED: failed, State.CANCELLED: failed, State.EXPIRED: failed,
        }  # fmt: skip
        self._articles_ttl = timedelta(seconds=settings.articles_ttl_seconds)
        self._no_births_before: datetime | None = None
        self._old_runs = forget.START

    async def once(self) -> int:
        """Forget all that may be forgotten; says how many jobs that were."""
        now = await self._database.now()
        if not await self._broker.depth(BIRTHS):
            self._no_births_before = now - IN_HAND
        jobs = 0
        if self._no_births_before is not None:
            for state, ttl in self._ttls.items():
                jobs += await self._forget(Rule(state, ttl, self._no_births_before))
        traces = await retention.forget_traces(self._database, BATCH)
        runs, read = await self._forget_runs(), await self._forget_what_was_read()
        if jobs or runs or any(read.values()):
            log.info("jobs_forgotten", jobs=jobs, schedule_runs=runs, **traces, **read)
        return jobs

    async def _forget_what_was_read(self) -> dict[str, int]:
        """Some more crawls, articles and texts; the texts of the first two go a day or two later."""
        return {
            "crawls": await crawls.forget(self._database),
            "articles": await articles.forget_articles(self._database, self._articles_ttl, BATCH),
            "texts": await articles.forget_texts(self._database, BATCH),
        }

    async def _forget_runs(self) -> int:
        """Some more of the old runs of schedules; what is kept of each is passed again only when all have been."""
        total = 0
        for _ in range(RUN_BATCHES):
            gone, place = await forget.forget_runs(self._database, self._old_runs, BATCH)
            total, self._old_runs = total + gone, place or forget.START
            if place is None or self._stopped.is_set():
                break
            await pause(self._stopped, PAUSE_SECONDS)
        return total

    async def _forget(self, rule: Rule) -> int:
        total, after = 0, retention.START
        while not self._stopped.is_set():
            gone, place = await retention.forget_jobs(self._database, rule, after, BATCH)
            total += gone
            if place is None:
                break
            after = place
            await pause(self._stopped, PAUSE_SECONDS)
        return total
