"""The outbox: messages that are due and not yet confirmed by RabbitMQ.

A row is inserted by the very statement that decides that a message is due, published, and deleted once confirmed.
Whoever wrote the row publishes it; what is left (a crash, an outage, an alarm) the scheduler's sweep leases with
doubling back-off.  So publishing is never a step that can be lost, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from persistence.database import COLLIDED, Database, Row
from wire import ladder
from wire.amqp import Broker
from wire.errors import DatabaseUnavailable
from wire.lifecycle import lasting
from wire.message import Outgoing, job_message
from wire.tracing import TRACEPARENT, TRACESTATE, Trace

log = structlog.get_logger()

GROUP: Final = 100  # small enough that starting them does not hold the loop for long
MOST_WAITING: Final = 5_000  # beyond this the sweep is the better place to wait: it holds no memory
AT_ONCE: Final = 4  # groups under way: some are confirmed while the rows of others are deleted
LONGEST_WAIT_SECONDS: Final = 1.0  # an alarm must not stand in the way of accepting; the outbox is patient
LONGEST_BACKOFF_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Post:
    """One outbox row with all its message needs."""

    seq: int
    job_id: UUID
    type: str
    priority: int
    body: bytes
    run: int
    attempt: int
    wait: timedelta
    exact: bool  # run_at keeps its tenth of a second; a retry may be rounded up for fewer hops
    because: str | None
    trace: Trace

    def message(self) -> Outgoing:
        units = (ladder.exact if self.exact else ladder.rounded)(self.wait) if self.wait > timedelta(0) else 0
        return job_message(
            job_id=self.job_id,
            job_type=self.type,
            priority=self.priority,
            body=self.body,
            run=self.run,
            wait_units=units,
            attempt=self.attempt,
            because=self.because,
            trace=self.trace.headers(),
        )


_LEASE = """
WITH due AS MATERIALIZED (
  SELECT seq FROM outbox WHERE publish_after <= clock_timestamp() ORDER BY publish_after, seq LIMIT $1
     FOR UPDATE SKIP LOCKED
), leased AS (
  UPDATE outbox o
     SET tries = tries + 1,
         publish_after = clock_timestamp() + make_interval(secs => least($3, $2 * 2 ^ least(tries, 20)))
    FROM due WHERE o.seq = due.seq
  RETURNING o.*
)
SELECT l.seq, l.job_id, l.run, l.exact, l.because, j.type, j.priority, j.body, j.attempt, j.traceparent, j.tracestate,
       extract(epoch FROM l.due_at - clock_timestamp())::float8 AS wait_seconds,
       coalesce(j.run = l.run AND j.state IN ('scheduled', 'queued', 'retrying'), false) AS current
  FROM leased l LEFT JOIN jobs j ON j.id = l.job_id ORDER BY l.seq
"""

_DELETE = """
DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE seq = ANY($1) ORDER BY seq FOR UPDATE)
"""


async def lease(database: Database, limit: int, backoff_seconds: float) -> tuple[list[Post], list[int]]:
    """Rows whose publisher has not come back to them, and the rows whose message nobody needs any more."""
    rows = await database.fetch(_LEASE, limit, backoff_seconds, LONGEST_BACKOFF_SECONDS)
    return [post_of(row) for row in rows if row["current"]], [row["seq"] for row in rows if not row["current"]]


async def delete(database: Database, seqs: Sequence[int]) -> None:
    """These messages are confirmed."""
    if seqs:
        await database.fetch(_DELETE, list(seqs))


async def publish(database: Database, broker: Broker, posts: Sequence[Post]) -> int:
    """Publish these and delete those that were confirmed; says how many."""
    confirmed = await broker.publish_all([post.message() for post in posts])
    seqs = [post.seq for post, safe in zip(posts, confirmed, strict=True) if safe]
    await delete(database, seqs)
    return len(seqs)


class Publisher:
    """Publishes in the background what its owner has just committed."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database, self._broker = database, broker
        self._waiting: deque[Post] = deque()
        self._wake, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [lasting(self._work(), "outbox publisher") for _ in range(AT_ONCE)]

    async def stop(self) -> None:
        """End after what is in hand has been tried once; a second stop is fine."""
        self._stopping = True
        self._wake.set()
        await asyncio.gather(*self._tasks)

    def give(self, posts: Sequence[Post]) -> None:
        """Take these over; more than a bounded number is left to the sweep."""
        self._waiting.extend(posts[: max(0, MOST_WAITING - len(self._waiting))])
        if len(self._waiting) > MOST_WAITING // 2:
            self._room.clear()
        self._wake.set()

    async def again(self, copies: Sequence[Outgoing]) -> list[bool]:
        """Publish copies of messages that are in hand; says of each whether RabbitMQ has it."""
        return await self._broker.publish_all(copies)

    async def room(self) -> None:
        """Return when there is room, or after a moment: whoever commits faster than RabbitMQ confirms slows down."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._room.wait()

    async def _work(self) -> None:
        while not self._stopping or self._waiting:
            await self._wake.wait()
            while self._waiting:
                await self._publish([self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))])
                if len(self._waiting) <= MOST_WAITING // 2:
                    self._room.set()
            if not self._stopping:
                self._wake.clear()

    async def _publish(self, group: list[Post]) -> None:
        try:
            published = await publish(self._database, self._broker, group)
        except Exception as e:  # whatever it is, their rows stand, and the next group is published
            foreseen = isinstance(e, (DatabaseUnavailable, *COLLIDED))
            log.warning("outbox_left_to_sweep", messages=len(group), error=str(e), exc_info=not foreseen)
        else:
            if published < len(group):
                log.warning("outbox_left_to_sweep", messages=len(group) - published, error=self._broker.last_error)


def tags_json(tags: Sequence[str]) -> str | None:
    """Ragged columns travel as one JSON text a row: an array of arrays of unequal length is not a thing in Postgres."""
    return json.dumps(tags) if tags else None


def post_of(row: Row) -> Post:
    """The post in a row of an outbox row's columns and its job's."""
    trace = Trace.of({TRACEPARENT: row["traceparent"], TRACESTATE: row["tracestate"]}) or Trace.begin()
    return Post(
        seq=row["seq"],
        job_id=row["job_id"],
        type=row["type"],
        priority=row["priority"],
        body=row["body"],
        run=row["run"],
        attempt=row["attempt"],
        wait=timedelta(seconds=max(0.0, row["wait_seconds"] or 0.0)),
        exact=row["exact"],
        because=row["because"],
        trace=trace,
    )
