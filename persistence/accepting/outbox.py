"""The outbox: messages that are due and not yet confirmed by RabbitMQ.

A row is inserted by the very statement that decides that a message is due, published, and deleted once confirmed.
Whoever wrote the row publishes it; what is left (a crash, an outage, an alarm) the scheduler's sweep leases with
doubling back-off.  So publishing is never a step that can be lost, and nobody waits for it.

A confirmed row is deleted a moment later, together with others: at once the delete would run beside the claim of the
very job, and a commit for a few rows costs what one for a hundred does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from persistence.accepting.publishing import Publishing
from persistence.store.database import COLLIDED, Database, Row
from persistence.store.forgettable import MAY_BE_FORGOTTEN
from persistence.store.given import many
from wire import ladder
from wire.errors import DatabaseUnavailable
from wire.lifecycle import lasting
from wire.message import Outgoing, job_message
from wire.metrics import table as metrics
from wire.rabbitmq.amqp import Broker
from wire.rabbitmq.pipeline import Pipeline
from wire.spans import here
from wire.tracing import Trace

log = structlog.get_logger()

GROUP: Final = 100  # small enough that starting them does not hold the loop for long
MOST_WAITING: Final = 5_000  # beyond this the sweep is the better place to wait: it holds no memory
AT_ONCE: Final = 4  # groups under way: some are confirmed while the rows of others are deleted
FORGET_SECONDS: Final = 0.05  # how long a confirmed row may stay; the sweep leaves it alone much longer
FORGET: Final = 1_000  # rows a delete
LOOKS: Final = 2  # for rows to delete: one that somebody changes meanwhile lies elsewhere afterwards
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

    def message(self, trace: Mapping[str, str | int] | None = None) -> Outgoing:
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
            trace=self.trace.headers() if trace is None else trace,
        )


_LEASE = """
WITH due AS MATERIALIZED (
  -- asked once, the time bounds the walk over the index; what is held or paced lies behind it
  SELECT seq, uncounted FROM outbox WHERE publish_after <= (SELECT clock_timestamp())
   ORDER BY publish_after, seq LIMIT $1 FOR UPDATE SKIP LOCKED
), leased AS (
  UPDATE outbox o
     SET tries = tries + 1, uncounted = NULL,
         publish_after = clock_timestamp() + make_interval(secs => least($3, $2 * 2 ^ least(tries, 20)))
    FROM due WHERE o.seq = due.seq
  RETURNING o.*, due.uncounted AS newly_met
)
SELECT l.seq, l.job_id, l.run, l.exact, l.because, j.type, j.priority, j.body, j.attempt, j.traceparent, j.tracestate,
       extract(epoch FROM l.due_at - clock_timestamp())::float8 AS wait_seconds,
       l.newly_met AND j.type IS NOT NULL AS newly_met,
       coalesce(j.run = l.run AND j.state IN ('scheduled', 'queued', 'retrying'), false) AS current
  FROM leased l LEFT JOIN jobs j ON j.id = l.job_id ORDER BY l.seq
"""

# Row by row in the order of seq, by their places, as claim.py does it: a calm outbox is empty most of the time, and a
# plan that was made then is kept.  A join read the whole outbox for each row of it: 30 s for a thousand of the twenty
# thousand that an outage leaves.  Only in that order does no index but the one of seq serve.
_DELETE = f"""
DELETE FROM outbox o
 USING (
   SELECT i.place FROM (SELECT seq FROM {many("bigint")} AS given(seq) ORDER BY seq) g
    CROSS JOIN LATERAL (
      SELECT ctid AS place FROM outbox WHERE seq >= g.seq AND seq <= g.seq ORDER BY seq OFFSET 0) i
   OFFSET 0) f
 WHERE {MAY_BE_FORGOTTEN} AND o.ctid = f.place
RETURNING o.seq
"""  # noqa: S608 - made of a constant


async def lease(database: Database, limit: int, backoff_seconds: float) -> tuple[list[Post], list[int]]:
    """Rows whose publisher has not come back to them, and the rows whose message nobody needs any more.

    Who leases a row of the SQL door first counts its job: that door runs in a process that is not ours.
    """
    rows = await database.fetch(_LEASE, limit, backoff_seconds, LONGEST_BACKOFF_SECONDS)
    for row in rows:
        if row["newly_met"]:
            metrics.JOBS_SUBMITTED.add(row["type"])
    return [post_of(row) for row in rows if row["current"]], [row["seq"] for row in rows if not row["current"]]


async def delete(database: Database, seqs: Sequence[int]) -> None:
    """These messages are confirmed."""
    left = set(seqs)
    for _ in range(LOOKS):
        if left:
            left -= {row["seq"] for row in await database.fetch(_DELETE, list(left))}


async def publish(database: Database, broker: Broker, posts: Sequence[Post]) -> int:
    """Publish these and delete those that were confirmed; says how many."""
    seqs = await _Group(posts).confirmed(broker)
    await delete(database, seqs)
    return len(seqs)


class _Group:
    """Messages that are published together, and their spans."""

    def __init__(self, posts: Sequence[Post]) -> None:
        self._posts = posts
        self._told = Publishing(here.spans, posts) if here.spans is not None else None
        self._messages = self._told.messages if self._told else [post.message() for post in posts]
        self._begun: Pipeline | None = None

    def __len__(self) -> int:
        return len(self._posts)

    def prepare(self, broker: Broker) -> None:
        """Make the only one of them ready to be written."""
        (message,) = self._messages
        self._begun = broker.prepare(message)

    def begin(self, posts: Sequence[Post]) -> None:
        """Write what is ready here and now, unless it has to wait for anything; its row is known by now."""
        self._posts = posts
        if self._begun is not None and not self._begun.begin():
            self._begun = None

    def fits(self, post: Post) -> bool:
        """Whether its message is this one."""
        (ready,) = self._posts
        return (post.job_id, post.run, post.wait) == (ready.job_id, ready.run, ready.wait)

    def drop(self) -> None:
        """It is not written after all."""
        if self._begun is not None:
            self._begun.drop()

    async def confirmed(self, broker: Broker) -> list[int]:
        """The rows of those that RabbitMQ has for good."""
        with metrics.batch("publish", len(self)):
            confirmed = await broker.publish_all(self._messages, self._begun)
        if self._told:
            self._told.ended(confirmed)
        return [post.seq for post, safe in zip(self._posts, confirmed, strict=True) if safe]


class Publisher:
    """Publishes in the background what its owner has just committed; `told` hears which rows are confirmed."""

    def __init__(
        self, database: Database, broker: Broker, told: Callable[[Sequence[int]], None] = lambda seqs: None
    ) -> None:
        self._database, self._broker, self._told = database, broker, told
        self._waiting: deque[Post] = deque()
        self._alone: _Group | None = None  # one that came when nothing waited, mostly written already
        self._foreseen: _Group | None = None
        self._confirmed: deque[int] = deque()
        self._groups = asyncio.Semaphore(0)  # one a group that was given: an event would wake all tasks for one job
        self._room, self._forgettable = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._forgetting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._tasks = [lasting(self._work(), "outbox publisher") for _ in range(AT_ONCE)]
        self._forgetting = lasting(self._forget_confirmed(), "outbox forgetter")

    async def stop(self) -> None:
        """End after what is in hand has been tried once; a second stop is fine."""
        self._stopping = True
        self._forget_foreseen()
        self._rouse(AT_ONCE)
        await asyncio.gather(*self._tasks)
        self._forgettable.set()
        forgetting, self._forgetting = self._forgetting, None
        if forgetting:
            await forgetting

    def foresee(self, post: Post) -> None:
        """Make the message of one that is about to be committed; it is written when it is given, and never before.

        Where jobs come one by one all code is cold, and its commit is the time to run it: 0.1 ms that no job waits for.
        """
        if here.spans is None and not self._waiting and self._alone is None:  # a span begins with its message
            self._forget_foreseen()
            self._foreseen = self._ready([post])

    def give(self, posts: Sequence[Post]) -> None:
        """Take these over; more than a bounded number is left to the sweep.

        One that comes alone is written here and now: to wake a task for it would cost its job a quarter millisecond.
        """
        if len(posts) == 1 and not self._waiting and self._alone is None:
            self._begin(posts)
        else:
            self._forget_foreseen()
            self._waiting.extend(posts[: max(0, MOST_WAITING - len(self._waiting))])
        if len(self._waiting) > MOST_WAITING // 2:
            self._room.clear()
        self._rouse(min(AT_ONCE, -(-len(posts) // GROUP)))

    async def again(self, copies: Sequence[Outgoing]) -> list[bool]:
        """Publish copies of messages that are in hand; says of each whether RabbitMQ has it."""
        return await self._broker.publish_all(copies)

    async def room(self) -> None:
        """Return when there is room, or after a moment: whoever commits faster than RabbitMQ confirms slows down.

        While RabbitMQ is away nobody waits for it: the rows are the sweep's.
        """
        if self._room.is_set() or not self._broker.connected:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._room.wait()

    async def _work(self) -> None:
        while not self._stopping or self._waiting or self._alone:
            await self._groups.acquire()
            if self._alone is not None:
                group, self._alone = self._alone, None
                await self._publish(group)
            while self._waiting:
                await self._publish([self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))])
                if len(self._waiting) <= MOST_WAITING // 2:
                    self._room.set()

    def _rouse(self, tasks: int) -> None:
        for _ in range(tasks):
            self._groups.release()

    def _begin(self, posts: Sequence[Post]) -> None:
        try:
            if self._foreseen is not None and not self._foreseen.fits(posts[0]):
                self._forget_foreseen()
            group, self._foreseen = self._foreseen or self._ready(posts), None
            group.begin(posts)
        except Exception:  # whatever it is, its row stands, and the caller's work is done
            log.exception("outbox_left_to_sweep", messages=1)
        else:
            self._alone = group

    def _ready(self, posts: Sequence[Post]) -> _Group:
        group = _Group(posts)
        group.prepare(self._broker)
        return group

    def _forget_foreseen(self) -> None:
        group, self._foreseen = self._foreseen, None
        if group is not None:
            group.drop()

    async def _publish(self, group: _Group | Sequence[Post]) -> None:
        try:
            group = group if isinstance(group, _Group) else _Group(group)
            confirmed = await group.confirmed(self._broker)
        except Exception as e:  # whatever it is, their rows stand, and the next group is published
            log.warning("outbox_left_to_sweep", messages=len(group), error=str(e), exc_info=True)
            return
        self._confirmed.extend(confirmed)
        if confirmed:
            self._forgettable.set()
            self._told(confirmed)
        if len(confirmed) < len(group):
            log.warning("outbox_left_to_sweep", messages=len(group) - len(confirmed), error=self._broker.last_error)

    async def _forget_confirmed(self) -> None:
        while self._forgetting:
            await self._forgettable.wait()
            self._forgettable.clear()
            if not self._stopping:
                await asyncio.sleep(FORGET_SECONDS)
            while self._confirmed:
                await self._forget([self._confirmed.popleft() for _ in range(min(FORGET, len(self._confirmed)))])

    async def _forget(self, seqs: list[int]) -> None:
        try:
            await delete(self._database, seqs)
        except Exception as e:  # the rows stand, and what the sweep sends once more is recognised by its run
            foreseen = isinstance(e, (DatabaseUnavailable, *COLLIDED))
            log.warning("outbox_left_to_sweep", messages=len(seqs), error=str(e), exc_info=not foreseen)


def tags_json(tags: Sequence[str]) -> str | None:
    """Ragged columns travel as one JSON text a row: an array of arrays of unequal length is not a thing in Postgres."""
    return json.dumps(tags) if tags else None


def post_of(row: Row) -> Post:
    """The post in a row of an outbox row's columns and its job's."""
    trace = Trace.kept(row["traceparent"], row["tracestate"])
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
