"""Dramatiq on RabbitMQ, as its manual says, and one insert a job: it keeps no outcomes of its own in Postgres."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pika
import psycopg
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.middleware import CurrentMessage

from tests.bench.peers import work
from tests.bench.peers.outcomes import TABLE
from tests.bench.peers.queued import put

broker = RabbitmqBroker(url=os.environ["AMQP_URL"], confirm_delivery=True)
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)
_own = threading.local()


def database() -> psycopg.Connection[Any]:
    """A connection for each worker thread, which commits by itself."""
    if not hasattr(_own, "connection"):
        _own.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    connection: psycopg.Connection[Any] = _own.connection
    return connection


@dramatiq.actor
def noop(payload: dict[str, Any]) -> None:
    work.begin(payload)
    message = CurrentMessage.get_current_message()
    assert message is not None
    database().execute("INSERT INTO outcomes (id, state) VALUES (%s, 'completed')", [message.message_id])


def preload(jobs: int) -> None:
    database().execute(TABLE)
    broker.declare_queue(noop.queue_name, ensure=True)
    said = pika.BasicProperties(delivery_mode=2, priority=0)
    put(os.environ["AMQP_URL"], noop.queue_name, ((noop.message(work.payload()).encode(), said) for _ in range(jobs)))


@contextlib.contextmanager
def publisher() -> Iterator[Callable[[dict[str, Any]], object]]:
    yield noop.send
    broker.close()
