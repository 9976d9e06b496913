"""The recorder: messages become rows.

It empties three queues.  `births`: jobs that came by the public door get their row, or are refused with a reason.
`unrouted` and `dead`: what still has an open job goes back to the outbox, the rest is kept as a dead letter.  A batch
is acked only after its rows are committed; with Postgres away the messages wait in their queues.  A message that we
trip over is kept as a letter too: those behind it must not wait for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec.structs import replace

from persistence.accepting import replies
from persistence.accepting.accept import insert
from persistence.accepting.births import bear, meet_again
from persistence.accepting.submission import Submission
from persistence.declared.job_types import Catalogue
from persistence.foreign.intake import judge
from persistence.foreign.stray import return_to_outbox
from persistence.letters import dead_letters
from persistence.letters.dead_letters import DeadLetter
from persistence.store.bisect import each_that_fits
from persistence.store.database import COLLIDED, DATA_ERRORS, Database
from wire.agreement import is_job_key
from wire.alive import PATIENCE_SECONDS
from wire.errors import DatabaseUnavailable
from wire.lifecycle import lasting
from wire.message import Incoming
from wire.metrics import table as metrics
from wire.rabbitmq.amqp import Broker
from wire.rabbitmq.backoff import waits
from wire.topology import BIRTHS, DEAD_QUEUE, UNROUTED_QUEUE

log = structlog.get_logger()

PREFETCH: Final = 500
REUSED: Final = "message_id: it belongs to another job; use a fresh UUID for each job"

Handler = Callable[[Sequence[Incoming]], Awaitable[None]]


class Recorder:
    """Three loops, one a queue; each lives as long as the process."""

    def __init__(self, database: Database, broker: Broker, catalogue: Catalogue, max_bytes: int) -> None:
        self._database, self._broker, self._catalogue, self._max_bytes = database, broker, catalogue, max_bytes
        self._loops: list[asyncio.Task[None]] = []
        self._taken: dict[str, float] = {}  # of each queue, when the batch came that is not recorded yet

    async def start(self) -> None:
        handlers = {BIRTHS: self.births, UNROUTED_QUEUE: self.unrouted, DEAD_QUEUE: self.dead}
        self._loops = [
            lasting(self._empty(queue, handler), f"recorder of {queue}") for queue, handler in handlers.items()
        ]

    def trouble(self) -> str | None:
        """What a health check is told: it has not got rid of what it took."""
        now = time.monotonic()
        lasts = now - min(self._taken.values(), default=now)
        return f"has held a batch of messages for {lasts:.0f} s" if lasts > PATIENCE_SECONDS else None

    async def stop(self) -> None:
        loops, self._loops = self._loops, []
        for loop in loops:
            loop.cancel()  # what is not acked comes again
        if loops:
            await asyncio.wait(loops)

    async def _empty(self, queue: str, handler: Handler) -> None:
        async for batch in self._broker.batches(queue, PREFETCH):
            self._taken[queue] = time.monotonic()
            with metrics.batch(queue, len(batch.messages)):
                await self.store(batch.messages, handler)
            await batch.ack()  # after the commit: a crash between them repeats the batch, never loses it
            del self._taken[queue]
            log.debug("messages_recorded", queue=queue, messages=len(batch.messages))

    async def store(self, messages: Sequence[Incoming], handler: Handler) -> None:
        """Return when all of them are safe, one way or the other."""
        try:
            await self._until_answered(lambda: handler(messages))
        except Exception as e:  # a message that nobody foresaw is kept as a letter, and must not stop its queue
            if isinstance(e, asyncpg.PostgresError) and not isinstance(e, DATA_ERRORS):
                raise  # a statement of ours is wrong: no message is to blame, and the process ends loudly
            if len(messages) == 1:
                await self._keep_bare(messages[0], e)
                return
            for message in messages:
                await self.store([message], handler)

    async def _until_answered(self, ask: Callable[[], Awaitable[None]]) -> None:
        for seconds in waits():
            try:
                await ask()
            except (DatabaseUnavailable, *COLLIDED) as e:
                log.warning("recorder_waits_for_database", error=str(e))
                await asyncio.sleep(seconds)
            else:
                return

    async def _keep_bare(self, message: Incoming, error: Exception) -> None:
        """Without its headers, which may be what we tripped over."""
        log.error("message_not_understood", queue=message.queue, message_id=message.message_id, exc_info=error)
        letter = DeadLetter(replace(message, headers={}), "unreadable", f"{type(error).__name__}: {error}"[:300])
        await self._until_answered(lambda: dead_letters.keep(self._database, [letter]))

    async def births(self, messages: Sequence[Incoming]) -> None:
        """Rows for what can be done, dead letters for the rest."""
        now = datetime.now(UTC)
        judged = [await judge(message, self._catalogue, now, self._max_bytes) for message in messages]
        letters = [verdict for verdict in judged if isinstance(verdict, DeadLetter)]
        sources = {verdict: m for m, verdict in zip(messages, judged, strict=True) if isinstance(verdict, Submission)}
        reused, refused = await each_that_fits(list(sources), self._bear)
        letters += [DeadLetter(sources[submission], "id_reused", REUSED) for submission in reused]
        letters += [DeadLetter(sources[submission], "unstorable", error) for submission, error in refused]
        await dead_letters.keep(self._database, letters)

    async def unrouted(self, messages: Sequence[Incoming]) -> None:
        """Nothing was bound for these: their queue is not there yet, or their type is unknown."""
        homeless = await self._return(messages, "no queue was bound for its type")
        await self._take_in(
            homeless, "unroutable", "no queue is bound for this routing key; keys are job.<type>.p<1-10>"
        )

    async def dead(self, messages: Sequence[Incoming]) -> None:
        """A queue gave these up: rejected, expired, or delivered too often."""
        homeless = await self._return(messages, "its queue gave it up")
        await self._take_in(homeless, None, "a queue gave this message up")

    async def _return(self, messages: Sequence[Incoming], because: str) -> Sequence[Incoming]:
        """What still has an open job gets another message; the messages of nobody's job."""
        strays = await return_to_outbox(self._database, messages, because)
        await dead_letters.keep(self._database, [DeadLetter(m, "id_reused", REUSED) for m in strays.reused])
        return strays.homeless

    async def _take_in(self, messages: Sequence[Incoming], reason: str | None, detail: str) -> None:
        """Jobs of a known type that never got a row are accepted here; what cannot be one is kept.

        With no reason given it is the judgement's own, under which `births` may have kept its copy already.
        """
        now, letters, submissions = datetime.now(UTC), list[DeadLetter](), dict[UUID, Submission]()
        for message in messages:
            verdict = await judge(message, self._catalogue, now, self._max_bytes)
            if isinstance(verdict, DeadLetter):
                letters.append(DeadLetter(message, reason or verdict.reason, f"{detail}: {verdict.detail}"))
            elif message.run is not None:
                letters.append(DeadLetter(message, reason or "orphan", f"{detail}: its job is unknown"))
            elif not is_job_key(message.routing_key):
                what = f"routing_key: {message.routing_key[:80]!r} names no type"
                letters.append(DeadLetter(message, reason or "unroutable", f"{detail}: {what}"))
            elif submissions.setdefault(verdict.id, verdict).body_hash != verdict.body_hash:
                letters.append(DeadLetter(message, "id_reused", REUSED))
        if submissions:
            async with self._database.transaction() as transaction:
                await insert(transaction, list(submissions.values()))
                await replies.expect(transaction, list(submissions.values()))
        await dead_letters.keep(self._database, letters)

    async def _bear(self, submissions: list[Submission]) -> list[Submission]:
        """Those of them whose id belongs to another job."""
        async with self._database.transaction() as transaction:
            born = await bear(transaction, submissions)
            copies = Counter(submission.id for submission in submissions)
            return await meet_again(transaction, [s for s in submissions if s.id not in born or copies[s.id] > 1])
