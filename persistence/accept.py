"""Accept a job: the row first, the message second.

Concurrent requests are grouped into one statement and one commit.  The statement that inserts the row also inserts its
outbox row, so that a crash before the publish is mended by the scheduler's sweep.  With Postgres away the job goes to
RabbitMQ's public door instead and its row is born from there; with both away the caller is told.

A caller that hangs up does not cancel its group, and one row that Postgres refuses does not fail its neighbours.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog

from persistence import outbox
from persistence.births import BEAR, columns
from persistence.bisect import each_that_fits
from persistence.database import Database, Row
from persistence.outbox import Post
from persistence.submission import Submission
from wire.amqp import Broker
from wire.errors import DatabaseUnavailable, Refused, Unavailable
from wire.lifecycle import lasting
from wire.message import Outgoing, birth_message
from wire.states import State
from wire.tracing import TRACEPARENT, Trace

log = structlog.get_logger()

GROUP: Final = 500
GRACE_SECONDS: Final = 10.0  # the sweep leaves a row to its publisher this long


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a submission."""

    state: State
    created_at: datetime | None  # None when Postgres was away and the row is still to be born
    trace_id: str  # a duplicate's is the one that its first submission began
    duplicate: bool = False


_ACCEPT = f"""
WITH born AS ({BEAR} RETURNING id, run, state, created_at, scheduled_for), posted AS (
  INSERT INTO outbox (job_id, run, due_at, publish_after)
  SELECT id, run, scheduled_for, clock_timestamp() + make_interval(secs => $15) FROM born ORDER BY id
  RETURNING seq, job_id
)
SELECT id, born.state, born.created_at, posted.seq,
       extract(epoch FROM born.scheduled_for - clock_timestamp())::float8 AS wait_seconds
  FROM born JOIN posted ON posted.job_id = born.id
"""  # noqa: S608 - made of two constants

_FOUND = "SELECT id, state, created_at, body_hash, traceparent FROM jobs WHERE id = ANY($1)"


async def insert(transaction: asyncpg.Connection, submissions: Sequence[Submission]) -> list[Post]:
    """The rows and outbox rows of these, within the caller's transaction; ids that are taken are left alone."""
    rows = await transaction.fetch(_ACCEPT, *columns(submissions), GRACE_SECONDS)
    by_id = {submission.id: submission for submission in submissions}
    return [_post(by_id[row["id"]], row) for row in rows]


class Acceptor:
    """Groups submissions into commits, and commits into publishes."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database, self._broker = database, broker
        self._waiting: deque[tuple[Submission, asyncio.Future[Accepted]]] = deque()
        self._wake = asyncio.Event()
        self._posts = outbox.Publisher(database, broker)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._posts.start()
        self._task = lasting(self._work(), "acceptor")

    async def stop(self) -> None:
        """End after what waits has been answered."""
        task, self._task = self._task, None
        if task:
            self._wake.set()
            await task
        await self._posts.stop()

    async def submit(self, submission: Submission) -> Accepted:
        """Return when the job is safe in Postgres or in RabbitMQ; Unavailable if neither; Refused for a reused id."""
        answer: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append((submission, answer))
        self._wake.set()
        return await asyncio.shield(answer)

    async def _work(self) -> None:
        while self._task or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:  # no linger: a group is what arrived during the previous commit
                await self._posts.room()
                await self._answer(self._next_group())

    def _next_group(self) -> dict[Submission, asyncio.Future[Accepted]]:
        """At most GROUP submissions, none with an id that is in the group already."""
        group: dict[Submission, asyncio.Future[Accepted]] = {}
        ids, again = set(), []
        while self._waiting and len(group) < GROUP:
            submission, answer = self._waiting.popleft()
            if submission.id in ids:
                again.append((submission, answer))
            else:
                ids.add(submission.id)
                group[submission] = answer
        self._waiting.extendleft(reversed(again))
        return group

    async def _answer(self, group: dict[Submission, asyncio.Future[Accepted]]) -> None:
        try:
            answers = await self._commit(list(group))
        except DatabaseUnavailable as e:
            log.warning("accepting_without_database", jobs=len(group), error=str(e))
            answers = await self._give_to_broker(list(group))
        except Exception as e:  # not foreseen: this group's callers are told, and the loop lives on for the next one
            log.exception("accept_failed", jobs=len(group))
            answers = dict.fromkeys(group, e)
        for submission, future in group.items():
            outcome = answers.get(submission, _not_answered(submission))
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    async def _commit(self, group: list[Submission]) -> dict[Submission, Accepted | Exception]:
        inserted, refused = await each_that_fits(group, self._rows)
        rows = {row["id"]: row for row in inserted}
        answers: dict[Submission, Accepted | Exception] = {
            submission: Refused("payload", f"Postgres cannot store it: {error}") for submission, error in refused
        }
        fresh = [submission for submission in group if submission.id in rows]
        answers |= {submission: _fresh(submission, rows[submission.id]) for submission in fresh}
        self._posts.give([_post(submission, rows[submission.id]) for submission in fresh])
        known = [submission for submission in group if submission not in answers]
        return answers | (await self._met_again(known) if known else {})

    async def _rows(self, group: list[Submission]) -> list[Row]:
        return list(await self._database.fetch(_ACCEPT, *columns(group), GRACE_SECONDS))

    async def _met_again(self, submissions: list[Submission]) -> dict[Submission, Accepted | Exception]:
        """A second look, in a later snapshot, at ids that were taken."""
        found = {row["id"]: row for row in await self._database.read(_FOUND, [s.id for s in submissions])}
        return {s: _judge_duplicate(s, found.get(s.id)) for s in submissions}

    async def _give_to_broker(self, group: list[Submission]) -> dict[Submission, Accepted | Exception]:
        confirmed = await self._broker.publish_all([_birth(submission) for submission in group])
        away = Unavailable("Postgres and RabbitMQ are both away")
        return {
            submission: _unrecorded(submission) if safe else away
            for submission, safe in zip(group, confirmed, strict=True)
        }


def _fresh(submission: Submission, row: Row) -> Accepted:
    return Accepted(State(row["state"]), row["created_at"], submission.trace.trace_id)


def _unrecorded(submission: Submission) -> Accepted:
    state = State.SCHEDULED if submission.starts_at else State.QUEUED
    return Accepted(state, None, submission.trace.trace_id)


def _post(submission: Submission, row: Row) -> Post:
    wait = timedelta(seconds=max(0.0, row["wait_seconds"] or 0.0))
    return Post(
        seq=row["seq"],
        job_id=submission.id,
        type=submission.type,
        priority=submission.priority,
        body=submission.body,
        run=1,
        attempt=0,
        wait=wait,
        exact=True,
        because=None,
        trace=submission.trace,
    )


def _birth(submission: Submission) -> Outgoing:
    return birth_message(
        job_id=submission.id,
        job_type=submission.type,
        priority=submission.priority,
        body=submission.body,
        trace=submission.trace.headers(),
    )


def _judge_duplicate(submission: Submission, row: Row | None) -> Accepted | Exception:
    if row is None:
        return Refused("id", f"{submission.id} was used and deleted", "use a fresh id", code="id_reused")
    if row["body_hash"] != submission.body_hash:
        problem = f"{submission.id} belongs to another job"
        return Refused("id", problem, "send the same body again or use a fresh id", code="id_reused")
    first = Trace.of({TRACEPARENT: row["traceparent"]}) or submission.trace
    return Accepted(State(row["state"]), row["created_at"], first.trace_id, duplicate=True)


def _not_answered(submission: Submission) -> Exception:
    return Unavailable(f"job {submission.id} got no answer")
