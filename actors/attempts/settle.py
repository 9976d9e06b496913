"""Settle a batch of ended attempts: record, then hand over what is due next, then ack.  In that order.

One record statement for whatever has ended since the last one.  A crash after the record and before the ack repeats a
delivery that the row answers; a crash before the record repeats the attempt under a new lease.  With Postgres away
nothing is acked and the batch is tried again until it stands.  One ending that Postgres cannot store is recorded as
failed and does not stop its neighbours.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final, assert_never
from uuid import UUID

import structlog
from msgspec.structs import replace

from actors.attempts import figures
from actors.attempts.attempt import Attempt
from actors.attempts.exhausted import tell_exhausted
from actors.attempts.keep import Keeper
from actors.attempts.large_results import Ended, LargeResults, is_large
from actors.attempts.told import Telling
from actors.attempts.verdict import (
    Cancelled,
    Completed,
    Failed,
    Interrupted,
    Retry,
    Returned,
    Snoozed,
    Trouble,
    Verdict,
    completed,
    decide,
)
from actors.context import MOST_CHILD_BYTES, MOST_CHILDREN
from persistence.accepting.outbox import Post, Publisher
from persistence.artifacts.archive import Archive
from persistence.attempts.record import Ending, Recorded, record
from persistence.crew.workers import Worker
from persistence.store.bisect import each_that_fits
from persistence.store.database import COLLIDED, Database
from wire.errors import DatabaseUnavailable
from wire.metrics import table as metrics
from wire.rabbitmq.backoff import waits
from wire.spans import here
from wire.states import Outcome, Reason, State
from wire.tracing import Trace

log = structlog.get_logger()

BATCH: Final = 500


class Settler:
    """The end of the pipeline; `put` never blocks."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        worker: Worker,
        *,
        archive: Archive,
        settled: Callable[[Attempt], None],
    ) -> None:
        self._database, self._publisher, self._settled = database, publisher, settled
        self._worker, self._session = worker.name, worker.session
        self.keeper = Keeper(database)
        self.large = LargeResults(archive, self._put_ending)
        self._ended: deque[Attempt] = deque()
        self._endings: deque[Ended] = deque()  # of those whose result had to be kept first
        self._wake = asyncio.Event()
        self.count = 0

    def put(self, attempt: Attempt) -> None:
        self._ended.append(attempt)
        self._wake.set()

    async def work(self) -> None:
        """For as long as the lane lives."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._ended or self._endings:  # no linger: a batch is what ended during the previous commit
                if batch := self._next_batch():
                    await self._settle(batch)

    def _put_ending(self, attempt: Attempt, ending: Ending) -> None:
        self._endings.append((attempt, ending))
        self._wake.set()

    def _next_batch(self) -> list[Ended]:
        """At most BATCH, with at most one attempt's fill of children between them: one transaction bears them all."""
        batch: list[Ended] = []
        children = size = 0
        while (self._endings or self._ended) and len(batch) < BATCH:
            job = (self._endings[0][0] if self._endings else self._ended[0]).context
            children, size = children + len(job.children) + len(job.kept_children), size + job.child_bytes
            if batch and (children > MOST_CHILDREN or size > MOST_CHILD_BYTES):
                break
            if self._endings:
                batch.append(self._endings.popleft())
            elif ended := self._next_ended():
                batch.append(ended)
        return batch

    def _next_ended(self) -> Ended | None:
        """The next one with what to record of it; None if its result has to be kept before."""
        attempt = self._ended.popleft()
        ends = ending(attempt, self._worker)
        attempt.let_go()
        if not is_large(ends):
            return attempt, ends
        self.large.keep(attempt, ends, partial(_otherwise, attempt))
        return None

    async def _settle(self, ended: list[Ended]) -> None:
        batch = [attempt for attempt, _ in ended]
        endings = {attempt.context.job_id: ends for attempt, ends in ended}
        telling = Telling(here.spans, [attempt.told for attempt in batch]) if here.spans is not None else None
        if self.keeper.at_work:  # before the record: who sees the end finds all that was logged
            await self.keeper.finish(attempt.context for attempt in batch)
        with metrics.batch("record", len(batch)):
            recorded, posts = await self._until_recorded(list(endings.values()))
        figures.recorded(batch, endings, recorded)
        if telling is not None:
            telling.recorded(endings, recorded)
        posts += [
            _next_post(attempt, recorded[attempt.context.job_id])
            for attempt in batch
            if recorded[attempt.context.job_id].post_seq is not None
        ]
        self._publisher.give(posts)  # the outbox has them: nobody waits for the publish
        for attempt in batch:
            self._settled(attempt)  # after the commit: only now may the delivery be acked
        self.count += len(batch)

    async def _until_recorded(self, endings: list[Ending]) -> tuple[dict[UUID, Recorded], list[Post]]:
        for seconds in waits():
            try:
                return await self._record(endings)
            except (DatabaseUnavailable, *COLLIDED) as e:
                log.warning("record_waits_for_database", jobs=len(endings), error=str(e))
                await asyncio.sleep(seconds)
        raise AssertionError("waits() never ends")

    async def _record(self, endings: list[Ending]) -> tuple[dict[UUID, Recorded], list[Post]]:
        stored, refused = await each_that_fits(endings, self._store)
        if refused:
            log.error("unstorable_outcomes", jobs=[str(e.job_id) for e, _ in refused])
            stored += await self._store([_unstorable(ending, error) for ending, error in refused])
        recorded: dict[UUID, Recorded] = {}
        posts: list[Post] = []
        for some, children in stored:
            recorded |= some
            posts += children
        return recorded, posts

    async def _store(self, endings: list[Ending]) -> list[tuple[dict[UUID, Recorded], list[Post]]]:
        some, children = await record(self._database, endings, self._session)
        return [(some, children)]


def ending(attempt: Attempt, worker: str) -> Ending:
    """What to record of an attempt."""
    job, claim = attempt.context, attempt.claim
    verdict = _verdict(attempt)
    if isinstance(verdict, Failed) and verdict.reason in (Reason.EXHAUSTED, Reason.TIMEOUT):
        tell_exhausted(attempt)
    job.close()  # whoever submits from now on is told that nobody would bear it
    fraction, note = job.progress or (None, None)
    plain = Ending(
        job.job_id, claim.lease, claim.run, claim.attempt, worker, Outcome.COMPLETED, State.COMPLETED,
        attempt.started_at, attempt.finished_at, progress=fraction, note=note,
        children=tuple(job.kept_children.values()),
    )  # fmt: skip
    return _with_verdict(plain, verdict, attempt)


def _verdict(attempt: Attempt) -> Verdict:
    if isinstance(attempt.end, Returned):
        return completed(attempt.end.value)  # nearly all do; a budget is for the others
    budget = attempt.craft.budget(attempt.claim.attempt, attempt.claim.max_retries)
    return decide(attempt.end, budget, random.random())  # noqa: S311 - jitter is no secret


def _with_verdict(plain: Ending, verdict: Verdict, attempt: Attempt) -> Ending:
    match verdict:
        case Completed(result):
            return replace(plain, result=result, children=(*attempt.context.children.values(), *plain.children))
        case Retry(after, trouble):
            retried = replace(plain, outcome=Outcome.RETRY, state=State.RETRYING, again_after=after)
            return _with_trouble(retried, trouble)
        case Failed(reason, trouble):
            return _with_trouble(replace(plain, outcome=Outcome.FAILED, state=State.FAILED, reason=reason), trouble)
        case Snoozed(after, trouble):
            snoozed = replace(plain, outcome=Outcome.SNOOZED, state=State.RETRYING, again_after=after, counted=False)
            return _with_trouble(snoozed, trouble)
        case Cancelled():
            return replace(plain, outcome=Outcome.CANCELLED, state=State.CANCELLED)
        case Interrupted():
            now = timedelta(0)
            return replace(plain, outcome=Outcome.INTERRUPTED, state=State.QUEUED, again_after=now, counted=False)
    assert_never(verdict)


def _otherwise(attempt: Attempt, ends: Ending, verdict: Verdict) -> Ending:
    """Its function has returned, but what it returned cannot be kept now."""
    plain = replace(
        ends, outcome=Outcome.COMPLETED, result=None, children=tuple(attempt.context.kept_children.values())
    )
    return _with_verdict(plain, verdict, attempt)


def _with_trouble(plain: Ending, trouble: Trouble) -> Ending:
    return replace(plain, error_type=trouble.type, error_message=trouble.message, traceback=trouble.traceback)


def _unstorable(refused: Ending, error: str) -> Ending:
    return replace(
        refused,
        outcome=Outcome.FAILED,
        state=State.FAILED,
        reason=Reason.UNSTORABLE_RESULT,
        result=None,
        again_after=None,
        error_type="UnstorableResult",
        error_message=f"Postgres refused the outcome: {error}",
        traceback=None,
        children=(),
    )


def _next_post(attempt: Attempt, recorded: Recorded) -> Post:
    job = attempt.context
    assert recorded.post_seq is not None
    return Post(
        seq=recorded.post_seq,
        job_id=job.job_id,
        type=job.type,
        priority=job.priority,
        body=attempt.deliveries[0].message.body,
        run=recorded.next_run,
        attempt=attempt.claim.attempt,
        wait=recorded.wait,
        exact=False,
        because=None,
        trace=Trace.kept(attempt.claim.traceparent, attempt.claim.tracestate),
    )
