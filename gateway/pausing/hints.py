"""Send hints to the workers: a cancel reaches a running job in milliseconds instead of a heartbeat later.

Sent behind the answer and at most once each: with RabbitMQ away a hint is dropped, because the row is marked and the
heartbeat tells the worker.  Nobody ever waits for one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import structlog

from wire.errors import BrokerUnavailable
from wire.lifecycle import lasting
from wire.message import Outgoing
from wire.rabbitmq.amqp import Broker

log = structlog.get_logger()

MOST_WAITING: Final = 10_000  # beyond this the oldest is dropped: its worker has beaten by then


class Hints:
    """One task that publishes what was given to it."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._waiting: deque[Outgoing] = deque(maxlen=MOST_WAITING)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = lasting(self._work(), "hints")

    async def stop(self) -> None:
        """End after what waits has been tried once."""
        task, self._task = self._task, None
        if task:
            self._wake.set()
            await task

    def give(self, hint: Outgoing) -> None:
        self._waiting.append(hint)
        self._wake.set()

    async def _work(self) -> None:
        while self._task or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._publish(self._waiting.popleft())

    async def _publish(self, hint: Outgoing) -> None:
        if not self._broker.connected:
            return
        try:
            await self._broker.publish(hint, mandatory=False)  # no worker, no queue: nobody runs it
        except BrokerUnavailable as e:
            log.info("hint_dropped", job_id=hint.message_id, error=str(e))
