"""Clocks at work, on a real Postgres and a real RabbitMQ."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
import pytest_asyncio

from persistence.declared.declare import declare, open_ways
from persistence.declared.job_types import register
from persistence.store.database import Database
from persistence.store.listen import SCHEDULES, Listener
from scheduler.clock.clock import Clock
from tests.room.persistence.rows import ECHO
from wire.lifecycle import running
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler
from wire.topology import Profile

Ticking = Callable[..., AbstractAsyncContextManager[Clock]]


@pytest_asyncio.fixture
async def ready(database: Database, broker: Broker) -> None:
    """A type of job, and where its messages go."""
    await declare(broker, database, "classic")
    await register(database, [ECHO])
    await open_ways(broker, Profile.CLASSIC, [ECHO])


@pytest.fixture
def ticking(database: Database, broker: Broker, ready: None) -> Ticking:
    """A clock at work, as it is in a scheduler: with somebody who tells it of changes."""

    @contextlib.asynccontextmanager
    async def tick(**settings: str) -> AsyncIterator[Clock]:
        clock = Clock(database, broker, Scheduler(**settings))  # type: ignore[arg-type]
        async with running([clock, Listener(database, {SCHEDULES: clock.wake})]):
            yield clock

    return tick
