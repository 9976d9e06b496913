"""The recorder: messages become rows.

It empties three queues.  `births`: jobs that came by the public door get their row, or are refused with a reason.
`unrouted` and `dead`: what still has an open job goes back to the outbox, the rest is kept as a dead letter.  A batch
is acked only after its rows are committed; with Postgres away the messages wait in their queues.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from persistence import dead_letters
from persistence.accept import insert
from persistence.births import bear
from persistence.bisect import each_that_fits
from persistence.database import COLLIDED, Database
from persistence.dead_letters import DeadLetter
from persistence.intake import judge
from persistence.job_types import Catalogue
from persistence.stray import return_to_outbox
from persistence.submission import Submission
from wire.agreement import is_job_key
from wire.amqp import Batch, Broker
from wire.backoff import waits
from wire.errors import DatabaseUnavailable
from wire.message import Incoming
from wire.topology import BIRTHS, DEAD_QUEUE, UNROUTED_QUEUE

log = structlog.get_logger()

PREFETCH: Final = 500

Handler = Callable[[Sequence[Incoming]], Awaitable[None]]


class Recorder:
    """Three loops, one a queue; each lives as long as the process."""

    def __init__(self, database: Database, broker: Broker, catalogue: Catalogue, max_bytes: int) -> None:
        self._database, self._broker, self._catalogue, self._max_bytes = database, broker, catalogue, max_bytes
        self._loops: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loops = asyncio.create_task(self._work(), name="recorder")

    async def stop(self) -> None:
        loops, self._loops = self._loops, None
        if loops:
            loops.cancel()  # what is not acked comes again
            await asyncio.wait({loops})

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._empty(BIRTHS, self.births))
            group.create_task(self._empty(UNROUTED_QUEUE, self.unrouted))
            group.create_task(self._empty(DEAD_QUEUE, self.dead))

    async def _empty(self, queue: str, handler: Handler) -> None:
        async for batch in self._broker.batches(queue, PREFETCH):
            await self._until_stored(batch, handler)
            await batch.ack()  # after the commit: a crash between them repeats the batch, never loses it
            log.info("messages_recorded", queue=queue, messages=len(batch.messages))

    async def _until_stored(self, batch: Batch, handler: Handler) -> None:
        for seconds in waits():
            try:
                await handler(batch.messages)
            except (DatabaseUnavailable, *COLLIDED) as e:
                log.warning("recorder_waits_for_database", messages=len(batch.messages), error=str(e))
                await asyncio.sleep(seconds)
            else:
                return

    async def births(self, messages: Sequence[Incoming]) -> None:
        """Rows for what can be done, dead letters for the rest."""
        now = datetime.now(UTC)
        judged = [await judge(message, self._catalogue, now, self._max_bytes) for message in messages]
        letters = [verdict for verdict in judged if isinstance(verdict, DeadLetter)]
        born = {verdict.id: verdict for verdict in judged if isinstance(verdict, Submission)}
        sources = {
            verdict.id: m for m, verdict in zip(messages, judged, strict=True) if isinstance(verdict, Submission)
        }
        _, refused = await each_that_fits(list(born.values()), self._bear)
        letters += [DeadLetter(sources[submission.id], "unstorable", error) for submission, error in refused]
        await dead_letters.keep(self._database, letters)

    async def unrouted(self, messages: Sequence[Incoming]) -> None:
        """Nothing was bound for these: their queue is not there yet, or their type is unknown."""
        homeless = await return_to_outbox(self._database, messages, "no queue was bound for its type")
        await self._take_in(
            homeless, "unroutable", "no queue is bound for this routing key; keys are job.<type>.p<1-10>"
        )

    async def dead(self, messages: Sequence[Incoming]) -> None:
        """A queue gave these up: rejected, expired, or delivered too often."""
        homeless = await return_to_outbox(self._database, messages, "its queue gave it up")
        await self._take_in(homeless, None, "a queue gave this message up")

    async def _take_in(self, messages: Sequence[Incoming], reason: str | None, detail: str) -> None:
        """Jobs of a known type that never got a row are accepted here; what cannot be one is kept.

        With no reason given it is the judgement's own, under which `births` may have kept its copy already.
        """
        now, letters, submissions = datetime.now(UTC), list[DeadLetter](), dict[object, Submission]()
        for message in messages:
            verdict = await judge(message, self._catalogue, now, self._max_bytes)
            if isinstance(verdict, DeadLetter):
                letters.append(DeadLetter(message, reason or verdict.reason, f"{detail}: {verdict.detail}"))
            elif message.run is not None:
                letters.append(DeadLetter(message, reason or "orphan", f"{detail}: its job is unknown"))
            elif not is_job_key(message.routing_key):
                what = f"routing_key: {message.routing_key[:80]!r} names no type"
                letters.append(DeadLetter(message, reason or "unroutable", f"{detail}: {what}"))
            else:
                submissions[verdict.id] = verdict
        if submissions:
            async with self._database.transaction() as transaction:
                await insert(transaction, list(submissions.values()))
        await dead_letters.keep(self._database, letters)

    async def _bear(self, submissions: list[Submission]) -> list[None]:
        async with self._database.transaction() as transaction:
            await bear(transaction, submissions)
        return []
