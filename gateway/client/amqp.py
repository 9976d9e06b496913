"""Submit through RabbitMQ's public door: for programs that are near the broker and not near a gateway.

The job is safe when RabbitMQ has confirmed it; its row is there a moment later.  Nobody checks the payload before that:
what does not fit its type becomes a dead letter.  A key becomes the job's id here, the same that `warren.submit` makes
of it.  Needs `write` on the exchange `jobs.in` and nothing else; declares nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec.structs import replace

from wire.envelope import Envelope, encode
from wire.errors import Refused
from wire.identity import fresh_id, id_from_key
from wire.message import birth_message
from wire.signature import signature
from wire.spans import caller

if TYPE_CHECKING:
    from wire.rabbitmq.amqp import Broker

DEFAULT_PRIORITY: Final = 5


class AmqpDoor:
    """One connection, made when it is first needed, on the loop that needs it."""

    def __init__(self, url: str, patience_seconds: float) -> None:
        self._url, self._patience = url, patience_seconds
        self._broker: Broker | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, job: Envelope) -> UUID:
        """The job's id, once it is confirmed; BrokerUnavailable if it was not in time."""
        if job.unique:
            raise Refused("unique", "is not taken over AMQP", "submit it over HTTP: only Postgres knows the other jobs")
        job_id = job.id or _id_of_key(job)
        settled = replace(job, id=job_id, idempotency_key=None)
        broker = await self._on_this_loop()
        with caller.publishing(job.type, job_id) as trace:
            message = birth_message(
                job_id=job_id,
                job_type=job.type,
                priority=job.priority or DEFAULT_PRIORITY,
                body=encode(settled),
                trace=trace,
            )
            await broker.publish(message)
        return job_id

    async def close(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None and self._loop is asyncio.get_running_loop():
            await broker.stop()

    async def _on_this_loop(self) -> Broker:
        loop = asyncio.get_running_loop()
        if self._broker is None or self._loop is not loop:
            from wire.rabbitmq.amqp import Broker  # noqa: PLC0415 - whoever speaks HTTP does not pay for it

            self._broker, self._loop = Broker(self._url, signature("client"), timeout_seconds=self._patience), loop
            await self._broker.start()
        return self._broker


def _id_of_key(job: Envelope) -> UUID:
    key = job.idempotency_key
    return fresh_id() if key is None else id_from_key(f"submit {job.type}", key)
