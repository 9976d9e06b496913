"""The inner door, by which jobs reach out: judge and accept what they submit, hand on what they save and read.

`submit` may be called on the lane's loop, so nothing here waits: the types are kept at hand and read again every few
moments, and what is to go at once is handed to the same acceptor that serves the gateway.  A type that this process
declares but nobody has registered is taken by its declaration; one that neither knows is refused here and now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from actors.codec import to_body
from actors.context import Wanted
from actors.lane.belongings import Belongings
from actors.scratch import Scratches
from persistence.accepting.accept import Acceptor
from persistence.accepting.submission import Submission, fill
from persistence.artifacts.archive import Archive, Label, Saver
from persistence.artifacts.artifact import Artifact
from persistence.artifacts.content import Content
from persistence.declared import payloads
from persistence.declared.job_types import Catalogue, JobType
from persistence.foreign.intake import unknown_type
from persistence.hosts.gate import Gate
from persistence.store.database import COLLIDED, Database
from wire.envelope import Envelope
from wire.errors import DatabaseUnavailable, Refused
from wire.lifecycle import lasting
from wire.rabbitmq.amqp import Broker
from wire.settings import Politeness
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
        *,
        archive: Archive,
        politeness: Politeness | None = None,
        scratches: Scratches | None = None,
    ) -> None:
        self.belongings = Belongings(database, archive, scratches or Scratches())
        self.database, self._catalogue, self._declared = database, catalogue, declared
        self._acceptor, self._max_body_bytes = Acceptor(database, broker), max_body_bytes
        self._gate = Gate(database, self._acceptor.publish, politeness or Politeness())
        self._loop = asyncio.get_running_loop()
        self._reader: asyncio.Task[None] | None = None

    @property
    def gate(self) -> Gate:
        """By which jobs visit hosts."""
        return self._gate

    async def start(self) -> None:
        await self._acceptor.start()
        await self._gate.start()
        self._reader = lasting(self._keep_at_hand(), "job types")
        self.belongings.start()

    async def stop(self) -> None:
        """End after what was handed over has been answered."""
        reader, self._reader = self._reader, None
        if reader:
            reader.cancel()
            await asyncio.wait({reader})
        await self._gate.stop()
        await self._acceptor.stop()
        await self.belongings.stop()

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

    def save(self, saver: Saver, label: Label, content: Content) -> Future[Artifact]:
        """Save it in the context of whoever calls; the future's result is the artifact, safe and listed."""
        return asyncio.run_coroutine_threadsafe(self.belongings.save(saver, label, content), self._loop)

    def read(self, wanted: Wanted, folder: Path) -> Future[Path]:
        """Read it into this folder; the future's result is the file."""
        return asyncio.run_coroutine_threadsafe(self.belongings.read(wanted, folder), self._loop)

    def make_folder(self, saver: Saver) -> Path:
        """For the files of this attempt."""
        return self.belongings.make_folder(saver)

    def clear(self, folder: Path) -> None:
        """Delete it.  Called on the loop."""
        self.belongings.clear(folder)

    async def _accept(self, submission: Submission, first_stands: bool) -> UUID:
        try:
            accepted = await self._acceptor.submit(submission)
            return accepted.holder or submission.id
        except Refused as e:
            if e.code != "id_reused" or not (first_stands or await self._is_gone(submission.id)):
                raise
        return submission.id

    async def _is_gone(self, job_id: UUID) -> bool:
        """An earlier attempt submitted it, and it was done and deleted since."""
        from persistence.questions import reads  # noqa: PLC0415 - it loads SQLAlchemy, which a worker starts without

        return await reads.one_job(self.database, job_id) is None

    async def _keep_at_hand(self) -> None:
        while True:
            try:
                await self._catalogue.refresh()
            except (DatabaseUnavailable, *COLLIDED) as e:
                log.warning("job_types_not_read", error=str(e))  # those read before are good enough
            await asyncio.sleep(READ_SECONDS)
