"""Make runs: fire a batch on the connection that holds the segments, and hand their messages on to be published.

As at every other door the row comes first and the message second: a crash in between is mended by the sweep.  With
RabbitMQ away runs are made all the same, and their rows wait in the outbox.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import structlog

from persistence.accepting import outbox
from persistence.accepting.submission import Submission
from persistence.schedules import buffered, fire, inherit
from persistence.schedules.backfill import Ordered, carry_on
from persistence.schedules.buffered import Waiting
from persistence.schedules.fire import Fired, Turn
from persistence.schedules.schedule import Fate, Kind
from persistence.schedules.segments import Session
from persistence.store.database import Database
from scheduler.clock import spans
from scheduler.clock.database_time import DatabaseTime
from scheduler.clock.hints import Hints
from scheduler.clock.lag import Lag
from wire.metrics import table as metrics
from wire.rabbitmq.amqp import Broker

log = structlog.get_logger()

BUFFERED: Final = "buffered"  # beside the kinds: a run that had to wait for the one before it


class Runs:
    """The one way from a due time to a message."""

    def __init__(self, session: Session, database: Database, broker: Broker, database_time: DatabaseTime) -> None:
        self._session = session
        self._lag, self._hints = Lag(database_time), Hints(broker)
        self._posts = outbox.Publisher(database, broker, self._lag.confirmed)
        metrics.SCHEDULE_RUNS.begin(*((kind, Fate.FIRED.value) for kind in (*Kind, BUFFERED)))

    async def start(self) -> None:
        await self._posts.start()
        await self._hints.start()

    async def stop(self) -> None:
        await self._hints.stop()
        await self._posts.stop()

    async def fire(self, turns: Sequence[Turn]) -> Fired:
        """Take these turns; whoever is not as its turn has it takes none."""
        await self._posts.room()
        began = time.time_ns()
        with metrics.batch("fire", len(turns)):
            async with self._session.connection() as connection:
                fired = await fire.fire(connection, turns)
        due = {t.job.id: t.fires_at for t in turns if t.job and t.fires_at and t.kind is Kind.DUE}
        self._lag.watch((post, due[post.job_id]) for post in fired.posts if post.job_id in due)
        self._hand_on(fired)
        spans.record((turn for turn in turns if fired.fates.get(turn.schedule.id) is Fate.FIRED), began)
        _count(turns, fired)
        return fired

    async def inherit(self, segments: Collection[int]) -> None:
        """Whoever held these before may have died before it could publish."""
        async with self._session.connection() as connection:
            messages = await inherit.inherit(connection, segments)
        if messages:
            log.info("messages_inherited", messages=messages)

    async def start_waiting(self, waiting: Sequence[tuple[Waiting, Submission | None]]) -> None:
        """Start these, of which the one before has ended."""
        async with self._session.connection() as connection:
            fired = await buffered.start(connection, waiting)
        self._hand_on(fired)
        metrics.SCHEDULE_RUNS.add(BUFFERED, Fate.FIRED, by=len(fired.posts))

    async def backfill(self, order: Ordered, jobs: Sequence[tuple[datetime, Submission]], reached: datetime) -> None:
        """Make these runs of a past range, of which all up to `reached` is done then."""
        await self._posts.room()
        async with self._session.connection() as connection:
            fired = await carry_on(connection, order, jobs, reached)
        self._hand_on(fired)
        metrics.SCHEDULE_RUNS.add(Kind.BACKFILL, Fate.FIRED, by=len(fired.posts))

    def _hand_on(self, fired: Fired) -> None:
        self._posts.give(fired.posts)
        self._hints.give(fired.asked)


def _count(turns: Sequence[Turn], fired: Fired) -> None:
    done = [turn for turn in turns if turn.schedule.id in fired.fates]
    fates = Counter((turn.kind, fate) for turn in done if (fate := fired.fates[turn.schedule.id]) is not None)
    for (kind, fate), number in fates.items():
        metrics.SCHEDULE_RUNS.add(kind, fate, by=number)
    metrics.SCHEDULE_RUNS.add(Kind.DUE, Fate.MISSED, by=sum(turn.missed.count for turn in done if turn.missed))
