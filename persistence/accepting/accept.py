"""Accept a job: the row first, the message second.

Concurrent requests are grouped into one statement and one commit.  The statement that inserts the row also inserts its
outbox row, so that a crash before the publish is mended by the scheduler's sweep.  With Postgres away the job goes to
RabbitMQ's public door instead and its row is born from there; with both away the caller is told.

A caller that hangs up does not cancel its group, and one row that Postgres refuses does not fail its neighbours.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from persistence.accepting import outbox
from persistence.accepting.births import BEAR, BEAR_ONE, columns, first_post, values
from persistence.accepting.outbox import Post
from persistence.accepting.submission import Submission
from persistence.accepting.unique import Held, contest
from persistence.store.bisect import each_that_fits
from persistence.store.database import DATA_ERRORS, Database, Row
from persistence.store.served import Served
from wire.errors import DatabaseUnavailable, Refused, Unavailable
from wire.lifecycle import lasting
from wire.message import Outgoing, birth_message
from wire.metrics import table as metrics
from wire.rabbitmq.amqp import Broker
from wire.spans import here
from wire.states import State
from wire.tracing import TRACEPARENT, Trace

log = structlog.get_logger()

GROUP: Final = 500
GRACE_SECONDS: Final = 10.0  # the sweep leaves a row to its publisher this long
TURNS_AHEAD: Final = 2  # of the loop, which the messages need to be written before the answers are made
SILENT_SECONDS: Final = 1.0  # twenty groups must not wait for twenty deadlines, one after the other


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a submission."""

    state: State
    created_at: datetime | None  # None when Postgres was away and the row is still to be born
    trace_id: str  # a duplicate's is the one that its first submission began
    duplicate: bool = False
    holder: UUID | None = None  # the job that stands for this one, which asked to be unique


Outcome = Accepted | Exception
Answer = asyncio.Future[Outcome]

_ACCEPTING = """
WITH born AS ({born} RETURNING id, run, state, created_at, scheduled_for), posted AS (
  INSERT INTO outbox (job_id, run, due_at, publish_after)
  SELECT id, run, scheduled_for, clock_timestamp() + make_interval(secs => $15) FROM born {in_order}
  RETURNING seq, job_id
)
SELECT id, born.state, born.created_at, posted.seq,
       extract(epoch FROM born.scheduled_for - clock_timestamp())::float8 AS wait_seconds
  FROM born {with_their} posted {each_its_own}
"""
_ACCEPT: Final = _ACCEPTING.format(
    born=BEAR,
    in_order="ORDER BY id",
    with_their="FULL JOIN",  # both have all; an inner join's plan compares each with each
    each_its_own="ON posted.job_id = born.id",
)
_ACCEPT_ONE: Final = _ACCEPTING.format(born=BEAR_ONE, in_order="", with_their="CROSS JOIN", each_its_own="")

_FOUND = "SELECT id, state, created_at, body_hash, traceparent FROM jobs WHERE id = ANY($1)"


async def insert(transaction: asyncpg.Connection, submissions: Sequence[Submission]) -> list[Post]:
    """The rows and outbox rows of these, within the caller's transaction.

    Ids that are taken are left alone, and so are jobs for which another one stands.
    """
    held = {one.submission.id for one in await contest(transaction, submissions)}
    posts = list[Post]()
    for first in range(0, len(submissions), GROUP):  # ten thousand at once would hold the loop
        by_id = {one.id: one for one in submissions[first : first + GROUP] if not held or one.id not in held}
        rows = await transaction.fetch(_ACCEPT, *columns(list(by_id.values())), GRACE_SECONDS) if by_id else []
        posts += [_post(by_id[row["id"]], row) for row in rows]
    for post in posts:
        metrics.JOBS_SUBMITTED.add(post.type)
    return posts


class Acceptor:
    """Groups submissions into commits, and commits into publishes."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database, self._broker = database, broker
        self._waiting: deque[tuple[Submission, Answer]] = deque()
        self._wake = asyncio.Event()
        self._posts = outbox.Publisher(database, broker)
        self._silent_until = 0.0
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

    def publish(self, posts: Sequence[Post]) -> None:
        """Messages that somebody else has just committed."""
        self._posts.give(posts)

    async def submit(self, submission: Submission) -> Accepted:
        """Return when the job is safe in Postgres or in RabbitMQ; Unavailable if neither; Refused for a reused id."""
        (outcome,) = await self.submit_all([submission])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def submit_all(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Return when each of these is safe or cannot be; what became of them, in their order."""
        answers = [self._ask(submission) for submission in submissions]
        self._wake.set()
        return [await answer for answer in answers]

    def _ask(self, submission: Submission) -> Answer:
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waiting.append((submission, answer))
        return answer

    async def _work(self) -> None:
        while self._task or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:  # no linger: a group is what arrived during the previous commit
                await self._posts.room()
                await self._answer(self._next_group())

    def _next_group(self) -> dict[UUID, tuple[Submission, Answer]]:
        """At most GROUP submissions, none with an id that is in the group already."""
        group: dict[UUID, tuple[Submission, Answer]] = {}
        again = []
        while self._waiting and len(group) < GROUP:
            asked = self._waiting.popleft()
            if asked[0].id in group:
                again.append(asked)
            else:
                group[asked[0].id] = asked
        self._waiting.extendleft(reversed(again))
        return group

    async def _answer(self, group: dict[UUID, tuple[Submission, Answer]]) -> None:
        served = Served("accept") if here.spans is not None else None
        outcomes = await self._outcomes([submission for submission, _ in group.values()])
        if served is not None:
            served.ended((submission.trace for submission, _ in group.values()), len(group))
        for _ in range(TURNS_AHEAD if len(group) > 1 else 0):  # one alone is written already
            await asyncio.sleep(0)
        for submission, answer in group.values():
            if not answer.done():  # else its caller has hung up
                answer.set_result(outcomes.get(submission.id) or _not_answered(submission))

    async def _outcomes(self, group: list[Submission]) -> dict[UUID, Outcome]:
        try:
            if time.monotonic() < self._silent_until and self._broker.connected:
                return await self._give_to_broker(group)
            return await self._commit(group)
        except DatabaseUnavailable as e:
            log.warning("accepting_without_database", jobs=len(group), error=str(e))
            if isinstance(e.__cause__, TimeoutError):
                self._silent_until = time.monotonic() + SILENT_SECONDS
            return await self._give_to_broker(group)
        except Exception as e:  # not foreseen: this group's callers are told, and the loop lives on for the next one
            log.exception("accept_failed", jobs=len(group))
            return {submission.id: e for submission in group}

    async def _commit(self, group: list[Submission]) -> dict[UUID, Outcome]:
        began = time.perf_counter()
        lone = await self._commit_lone(group[0]) if len(group) == 1 else None
        outcomes = lone or await self._commit_apart(group)
        metrics.note_batch("accept", len(group), time.perf_counter() - began)
        return outcomes

    async def _commit_lone(self, submission: Submission) -> dict[UUID, Outcome] | None:
        """One that is plain and came alone, by a way as short as can be: where jobs come one by one all code is cold.

        Whatever else there is to say (its id is taken, it cannot be stored) is asked again as of many.
        """
        if submission.unique:
            return None
        if submission.starts_at is None:  # its message is made while Postgres commits its row
            asyncio.get_running_loop().call_soon(self._posts.foresee, first_post(submission, seq=0))
        try:
            rows = await self._rows([submission])
        except DATA_ERRORS:
            return None
        if not rows:
            return None
        self._posts.give([_post(submission, rows[0])])  # first: a job waits for it
        metrics.JOBS_SUBMITTED.add(submission.type)
        return {submission.id: _fresh(submission, rows[0])}

    async def _commit_apart(self, group: list[Submission]) -> dict[UUID, Outcome]:
        asking = [submission for submission in group if submission.unique]
        plain = [submission for submission in group if not submission.unique] if asking else group
        outcomes = await self._commit_plain(plain) if plain else {}
        return outcomes | (await self._commit_asking(asking) if asking else {})

    async def _commit_plain(self, group: list[Submission]) -> dict[UUID, Outcome]:
        inserted, refused = await each_that_fits(group, self._rows)
        return await self._outcomes_of(group, inserted, refused)

    async def _commit_asking(self, group: list[Submission]) -> dict[UUID, Outcome]:
        """Those that ask to be unique, in a transaction of their own."""
        found, refused = await each_that_fits(group, self._contested_rows)
        inserted = [row for row in found if not isinstance(row, Held)]
        held = [one for one in found if isinstance(one, Held)]
        away = {one.submission.id for one in held}
        outcomes = await self._outcomes_of([s for s in group if s.id not in away], inserted, refused)
        return outcomes | {one.submission.id: _held(one, outcomes.get(one.job_id)) for one in held}

    async def _outcomes_of(
        self, group: list[Submission], inserted: Sequence[Row], refused: Sequence[tuple[Submission, str]]
    ) -> dict[UUID, Outcome]:
        rows = {row["id"]: row for row in inserted}
        fresh = [submission for submission in group if submission.id in rows]
        self._posts.give([_post(submission, rows[submission.id]) for submission in fresh])  # first: a job waits for it
        outcomes: dict[UUID, Outcome] = {
            submission.id: Refused("payload", f"Postgres cannot store it: {error}") for submission, error in refused
        }
        outcomes |= {submission.id: _fresh(submission, rows[submission.id]) for submission in fresh}
        for submission in fresh:
            metrics.JOBS_SUBMITTED.add(submission.type)
        known = [submission for submission in group if submission.id not in outcomes]
        return outcomes | (await self._met_again(known) if known else {})

    async def _rows(self, group: list[Submission]) -> list[Row]:
        if len(group) == 1:
            return list(await self._database.fetch(_ACCEPT_ONE, *values(group[0]), GRACE_SECONDS))
        return list(await self._database.fetch(_ACCEPT, *columns(group), GRACE_SECONDS))

    async def _contested_rows(self, group: list[Submission]) -> list[Row | Held]:
        async with self._database.transaction() as transaction:
            held = await contest(transaction, group)
            away = {one.submission.id for one in held}
            fresh = [submission for submission in group if submission.id not in away]
            rows = await transaction.fetch(_ACCEPT, *columns(fresh), GRACE_SECONDS) if fresh else []
        return [*held, *rows]

    async def _met_again(self, submissions: list[Submission]) -> dict[UUID, Outcome]:
        """A second look, in a later snapshot, at ids that were taken."""
        found = {row["id"]: row for row in await self._database.read(_FOUND, [s.id for s in submissions])}
        return {s.id: _judge_duplicate(s, found.get(s.id)) for s in submissions}

    async def _give_to_broker(self, group: list[Submission]) -> dict[UUID, Outcome]:
        plain = [submission for submission in group if not submission.unique]  # only Postgres knows the other jobs
        confirmed = await self._broker.publish_all([_birth(submission) for submission in plain])
        away = Unavailable("Postgres and RabbitMQ are both away")
        outcomes: dict[UUID, Outcome] = {submission.id: away for submission in group}
        return outcomes | {s.id: _unrecorded(s) for s, safe in zip(plain, confirmed, strict=True) if safe}


def _fresh(submission: Submission, row: Row) -> Accepted:
    return Accepted(State(row["state"]), row["created_at"], submission.trace.trace_id)


def _held(one: Held, holder: Outcome | None) -> Outcome:
    """The holder's place; one of the same group has its row by now, or this one got no answer."""
    if one.created_at is None and not isinstance(holder, Accepted):
        return _not_answered(one.submission)
    created_at = holder.created_at if isinstance(holder, Accepted) else one.created_at
    trace = Trace.of({TRACEPARENT: one.traceparent}) or one.submission.trace
    return Accepted(one.state, created_at, trace.trace_id, duplicate=True, holder=one.job_id)


def _unrecorded(submission: Submission) -> Accepted:
    state = State.SCHEDULED if submission.starts_at else State.QUEUED
    return Accepted(state, None, submission.trace.trace_id)


def _post(submission: Submission, row: Row) -> Post:
    return first_post(submission, row["seq"], timedelta(seconds=max(0.0, row["wait_seconds"] or 0.0)))


def _birth(submission: Submission) -> Outgoing:
    return birth_message(
        job_id=submission.id,
        job_type=submission.type,
        priority=submission.priority,
        body=submission.body,
        trace=submission.trace.headers(),
    )


def _judge_duplicate(submission: Submission, row: Row | None) -> Outcome:
    if row is None:
        return Refused("id", f"{submission.id} was used and deleted", "use a fresh id", code="id_reused")
    if row["body_hash"] != submission.body_hash:
        problem = f"{submission.id} belongs to another job"
        return Refused("id", problem, "send the same body again or use a fresh id", code="id_reused")
    first = Trace.of({TRACEPARENT: row["traceparent"]}) or submission.trace
    return Accepted(State(row["state"]), row["created_at"], first.trace_id, duplicate=True)


def _not_answered(submission: Submission) -> Exception:
    return Unavailable(f"job {submission.id} got no answer")
