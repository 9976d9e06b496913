"""The inner door: judge and accept the jobs that jobs submit.

`submit` may be called on the lane's loop, so nothing here waits: the types are kept at hand and read again every few
moments, and what is to go at once is handed to the same acceptor that serves the gateway.  A type that this process
declares but nobody has registered is taken by its declaration; one that neither knows is refused here and now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from actors.codec import to_body
from persistence import payloads, reads
from persistence.accept import Acceptor
from persistence.database import COLLIDED, Database
from persistence.intake import unknown_type
from persistence.job_types import Catalogue, JobType
from persistence.submission import Submission, fill
from wire.amqp import Broker
from wire.envelope import Envelope
from wire.errors import DatabaseUnavailable, Refused
from wire.lifecycle import lasting
from wire.tracing import Trace

log = structlog.get_logger()

READ_SECONDS: Final = 2.0  # how soon a type that another worker has just registered can be submitted by its name


class Door:
    """One a lane; its calls are quick, and may come from any thread."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        catalogue: Catalogue,
        declared: Mapping[str, JobType],
        max_body_bytes: int,
    ) -> None:
        self._database, self._catalogue, self._declared = database, catalogue, declared
        self._acceptor, self._max_body_bytes = Acceptor(database, broker), max_body_bytes
        self._loop = asyncio.get_running_loop()
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._acceptor.start()
        self._reader = lasting(self._keep_at_hand(), "job types")

    async def stop(self) -> None:
        """End after what was handed over has been answered."""
        reader, self._reader = self._reader, None
        if reader:
            reader.cancel()
            await asyncio.wait({reader})
        await self._acceptor.stop()

    def submission(self, envelope: Envelope, trace: Trace, *, checked: bool = True) -> Submission:
        """The job in this envelope, or Refused; unchecked, its actor judges the payload."""
        job_type = self._catalogue.at_hand(envelope.type) or self._declared.get(envelope.type)
        if job_type is None:
            raise unknown_type(envelope.type, sorted({*self._catalogue.names(), *self._declared}))
        if checked:
            payloads.check(envelope.payload, job_type)
        return fill(envelope, job_type, to_body(envelope, self._max_body_bytes), trace, datetime.now(UTC))

    def accept(self, submission: Submission, *, first_stands: bool) -> Future[UUID]:
        """Accept it now; the future's result says that it is safe."""
        return asyncio.run_coroutine_threadsafe(self._accept(submission, first_stands), self._loop)

    async def _accept(self, submission: Submission, first_stands: bool) -> UUID:
        try:
            await self._acceptor.submit(submission)
        except Refused as e:
            if e.code != "id_reused" or not (first_stands or await self._is_gone(submission.id)):
                raise
        return submission.id

    async def _is_gone(self, job_id: UUID) -> bool:
        """An earlier attempt submitted it, and it was done and deleted since."""
        return await reads.one_job(self._database, job_id) is None

    async def _keep_at_hand(self) -> None:
        while True:
            try:
                await self._catalogue.refresh()
            except (DatabaseUnavailable, *COLLIDED) as e:
                log.warning("job_types_not_read", error=str(e))  # those read before are good enough
            await asyncio.sleep(READ_SECONDS)
