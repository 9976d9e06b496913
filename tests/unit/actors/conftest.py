"""A broker to declare actors on; it is never connected."""

from __future__ import annotations

from collections.abc import Iterator

import dramatiq
import pytest
from dramatiq import broker as dramatiq_broker

from actors.broker import JobBroker
from wire.settings import Limits


@pytest.fixture
def broker() -> Iterator[JobBroker]:
    before = dramatiq_broker.global_broker
    ours = JobBroker("amqp://nobody:nothing@127.0.0.1:1/", Limits(), "test")
    dramatiq.set_broker(ours)
    yield ours
    dramatiq_broker.global_broker = before
