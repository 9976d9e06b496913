"""Many messages into one queue, fast: for a preload, whose speed nobody measures."""

from __future__ import annotations

from collections.abc import Iterable

import pika

from tests.bench.peers.work import PAYLOAD_BYTES

MOST_SECONDS = 60


def put(url: str, queue: str, messages: Iterable[tuple[bytes, pika.BasicProperties]]) -> None:
    """Return when all of them wait there; the queue must be there."""
    parameters = pika.URLParameters(url)
    parameters.blocked_connection_timeout = MOST_SECONDS
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        sent = 0
        for body, properties in messages:
            assert len(body) >= PAYLOAD_BYTES
            channel.basic_publish("", queue, body, properties)
            sent += 1
        while channel.queue_declare(queue, passive=True).method.message_count < sent:
            connection.sleep(0.05)
