"""The socket of a connection that could not be opened leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from deploy.machine.ports import free_port
from wire.rabbitmq.deliveries import Deliveries
from wire.rabbitmq.transport import connect


async def test_a_connection_that_failed_begins_nothing_when_it_is_collected(caplog: pytest.LogCaptureFixture) -> None:
    """
    A task that is begun by the collector would live on whichever loop it finds, and be told of in whoever's test.
    """
    url = f"amqp://guest:guest@127.0.0.1:{free_port()}/"
    caplog.set_level(logging.CRITICAL, "aiormq.connection")  # its line would hold the error, and that the connection
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await connect(url, "test", 15, Deliveries())
    gc.collect()

    assert {asyncio.current_task()} == asyncio.all_tasks()
