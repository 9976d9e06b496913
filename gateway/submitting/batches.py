"""Make a batch of what a client sent: judge all of it, then take all of it or nothing.

One job that cannot be taken refuses the batch, because a batch that is smaller than its sender believes would call back
too early; as many faults as fit into an answer are told at once.  Unlike a single job a batch needs Postgres: RabbitMQ
cannot hold a hundred jobs or none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from gateway.entrance.problems import Fault, Refusal
from gateway.entrance.turn import Turn
from gateway.submitting.again import id_of, the_same
from gateway.submitting.batch_request import Asked, callback_body
from gateway.submitting.large_body import within
from gateway.submitting.passing_on import PassingOn
from gateway.submitting.split import jobs_of
from gateway.submitting.submit import Submitter
from persistence.accepting.submission import Submission
from persistence.batches import batch_callbacks, batches
from persistence.batches.batches import Batch, NewBatch
from persistence.store.database import Database
from wire.errors import Refused
from wire.identity import body_hash
from wire.tracing import Trace

MOST_FAULTS: Final = 20
MOST_JOBS: Final = 10_000  # one transaction within the deadline of a database call; more come to an open batch
# What a callback will be told, at its longest: it must fit its type's schema and the size of a job
_LONGEST: Final[Mapping[str, object]] = {
    "id": str(UUID(int=0)), "name": None, "state": "completed",
    **dict.fromkeys(("end", *batch_callbacks.ENDED), 2**31 - 1),
}  # fmt: skip


class Batches:
    """Makes batches."""

    def __init__(self, submitter: Submitter, database: Database, passing_on: PassingOn, most_jobs: int) -> None:
        self._submitter, self._database, self._passing_on = submitter, database, passing_on
        self._most_jobs = min(most_jobs, MOST_JOBS)

    async def make(
        self, asked: Asked, body: bytes, *, scope: str, key: str | None, trace: Trace, traces: Callable[[], Trace]
    ) -> tuple[Batch, bool]:
        """The batch, and whether it was there already; Refused or Refusal."""
        batch_id = id_of("batch", asked.id, scope, key)
        request_hash = await asyncio.to_thread(body_hash, body)  # of megabytes: others need the loop
        known = await batches.one_batch(self._database, batch_id)
        if known is not None:
            return the_same("batch", known, request_hash), True
        new = NewBatch(
            id=batch_id,
            request_hash=request_hash,
            name=asked.name,
            tags=asked.tags,
            on_complete=await self._callback("on_complete", asked.on_complete, asked.name),
            on_failure=await self._callback("on_failure", asked.on_failure, asked.name),
            open=asked.open,
            trace=trace,
        )
        children = await self._children(asked.jobs, scope, key, traces, batch_id)
        posts = await batches.create(self._database, new, children)
        self._passing_on.give(posts or ())
        made = await batches.one_batch(self._database, batch_id)
        if made is None:
            problem = f"{batch_id} is a batch that is just being deleted"
            raise Refused("id", problem, "use a fresh id, or try again in a while", code="id_reused")
        return the_same("batch", made, request_hash), posts is None

    def closed(self, batch_id: UUID) -> None:
        """It takes no more jobs; this gateway knows at once."""
        self._submitter.batches.forget(batch_id)

    async def _callback(self, name: str, asked: bytes | None, batch: str | None) -> str | None:
        """The callback as it is kept, after a look at what will become of it."""
        if asked is None:
            return None
        body = callback_body(name, asked)
        try:
            return await self._submitter.check_callback(body, {**_LONGEST, "name": batch})
        except Refused as e:
            raise within(name, e) from e

    async def _children(
        self, jobs: bytes, scope: str, key: str | None, traces: Callable[[], Trace], batch_id: UUID
    ) -> list[Submission]:
        faults, children, turn = list[Refused](), list[Submission](), Turn()
        for number, job in enumerate(await self._split(jobs)):
            await turn.pass_on()
            try:
                child = await self._submitter.prepare(
                    job,
                    scope=scope,
                    key=None,
                    otherwise=None if key is None else f"batch {key}\n{number}",
                    trace=traces(),
                    batch_id=batch_id,
                )
            except Refused as e:
                faults.append(within(f"jobs[{number}]", e))
                if len(faults) == MOST_FAULTS:
                    break
            else:
                if child.unique:
                    faults.append(_not_unique(number))
                children.append(child)
        if faults:
            raise refusal_of(faults)
        return children

    async def _split(self, jobs: bytes) -> Sequence[bytes]:
        if jobs[:1] == b"[" and not jobs[1:-1].strip():
            return ()
        try:
            return await jobs_of(jobs, lines=False, most=self._most_jobs)
        except Refused as e:
            raise within("jobs", e) from e


def no_batch(batch_id: UUID) -> Refusal:
    return Refusal("not_found", f"there is no batch {batch_id}", field="id", remedy="it may have been deleted")


def _not_unique(number: int) -> Refused:
    problem = "cannot be: another job would stand for this one, and the batch be smaller than it says"
    return Refused(f"jobs[{number}].unique", problem, "submit the job to an open batch")


def refusal_of(faults: Sequence[Refused]) -> Refusal:
    """All of them in one answer."""
    first = Refusal.of(faults[0])
    if len(faults) == 1:
        return first
    told = [Fault(e.field, f"{e.field} {e.problem}", e.remedy or None) for e in faults]
    return Refusal(first.kind, first.detail, field=first.field, remedy=first.remedy, faults=told)
