"""How late runs are published: from the moment at which each was to happen until RabbitMQ says that it has the job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from persistence.accepting.outbox import Post
from scheduler.clock.database_time import DatabaseTime
from wire.metrics import table as metrics

MOST: Final = 50_000  # an outage leaves rows to the sweep, and nobody says of them when they are confirmed


class Lag:
    """Told by the database's clock at both ends."""

    def __init__(self, database_time: DatabaseTime) -> None:
        self._time = database_time
        self._moments: dict[int, datetime] = {}

    def watch(self, posts: Iterable[tuple[Post, datetime]]) -> None:
        if len(self._moments) > MOST:
            self._moments.clear()
        self._moments.update((post.seq, moment) for post, moment in posts)

    def confirmed(self, seqs: Sequence[int]) -> None:
        """RabbitMQ has the messages of these outbox rows."""
        moments = [moment for seq in seqs if (moment := self._moments.pop(seq, None)) is not None]
        if moments and self._time.known:
            metrics.SCHEDULE_LAG.observe_all([max(0.0, -self._time.until(moment)) for moment in moments])
