"""Take many jobs at once: each is judged and answered for itself, and one bad job never fails the rest.

The jobs are judged in turns and handed to the acceptor in chunks, two at most at a time: one is judged while the one
before it is committed, and a small request that comes in between waits for a chunk and never for ten thousand jobs.
A store that cannot be reached is asked no more: what is left is answered `unavailable`, with the ids that were tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from gateway import answers
from gateway.answers.bulk import BulkItem
from gateway.entrance.turn import Turn
from gateway.submitting.submit import Submitter
from persistence.accepting.accept import Acceptor, Outcome
from persistence.accepting.submission import Submission
from wire.errors import Refused, Unavailable
from wire.tracing import Trace

CHUNK: Final = 500
AT_ONCE: Final = 2


class Bulk:
    """Many jobs of one caller, through the same acceptor as single ones."""

    def __init__(self, submitter: Submitter, acceptor: Acceptor) -> None:
        self._submitter, self._acceptor = submitter, acceptor

    async def take(
        self,
        jobs: Sequence[bytes],
        *,
        scope: str,
        key: str | None = None,
        trace: Callable[[], Trace] = Trace.begin,
        batch_id: UUID | None = None,
    ) -> list[BulkItem]:
        """What became of each, in order.

        The key stands for the whole: with its place in the request it is the key of each job that names none.  `trace`
        makes the trace of each; with a batch given all jobs are of it.
        """
        judge = _Judge(self._submitter, scope, key, trace, batch_id)
        gate = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as chunks:
            tasks = []
            for first in range(0, len(jobs), CHUNK):
                await gate.acquire()
                judged = await judge.all(jobs[first : first + CHUNK], first)
                tasks.append(chunks.create_task(self._accept(judged, gate)))
        return [item for task in tasks for item in task.result()]

    async def _accept(self, judged: list[Submission | BulkItem], gate: asyncio.Semaphore) -> list[BulkItem]:
        try:
            submissions = [one for one in judged if isinstance(one, Submission)]
            outcomes = iter(await self._acceptor.submit_all(submissions))
            return [
                _item(one, next(outcomes)) if isinstance(one, Submission) else one
                for one in judged
            ]  # fmt: skip
        finally:
            gate.release()


class _Judge:
    """Makes submissions of bytes until a store that must be asked is away."""

    def __init__(
        self, submitter: Submitter, scope: str, key: str | None, trace: Callable[[], Trace], batch_id: UUID | None
    ) -> None:
        self._submitter, self._scope, self._key, self._trace = submitter, scope, key, trace
        self._batch_id = batch_id
        self._turn = Turn()
        self._away: Unavailable | None = None

    async def all(self, jobs: Sequence[bytes], first: int) -> list[Submission | BulkItem]:
        return [await self._one(job, number) for number, job in enumerate(jobs, first)]

    async def _one(self, job: bytes, number: int) -> Submission | BulkItem:
        await self._turn.pass_on()
        if self._away:
            return answers.bulk.unavailable(None)
        try:
            return await self._submitter.prepare(
                job,
                scope=self._scope,
                key=None,
                otherwise=None if self._key is None else f"{self._key}\n{number}",
                trace=self._trace(),
                batch_id=self._batch_id,
            )
        except Refused as e:
            return answers.bulk.invalid(e)
        except Unavailable as e:
            self._away = e
            return answers.bulk.unavailable(None)


def _item(submission: Submission, outcome: Outcome) -> BulkItem:
    if isinstance(outcome, Refused):
        return answers.bulk.invalid(outcome, submission.id)
    if isinstance(outcome, Exception):  # not safe, as far as anybody knows; with its id it can be sent again
        return answers.bulk.unavailable(submission.id)
    if outcome.holder:
        return BulkItem("duplicate", outcome.holder, unique=True)
    return BulkItem("duplicate" if outcome.duplicate else "accepted", submission.id)
