"""A message in aio-pika's words and in ours.  Talks to nobody."""

from __future__ import annotations

from datetime import UTC, datetime

from aio_pika.abc import AbstractIncomingMessage
from aiormq import spec

from wire.message import CONTENT_TYPE, Incoming, Outgoing


def properties(message: Outgoing) -> spec.Basic.Properties:
    """What travels beside the body: written anew for every message, durable, never copied from one received."""
    return spec.Basic.Properties(
        content_type=CONTENT_TYPE,
        delivery_mode=2,
        message_id=message.message_id,
        message_type=message.type,
        priority=message.priority,
        timestamp=datetime.now(UTC),
        app_id="warren",
        headers=dict(message.headers),
    )


def incoming(message: AbstractIncomingMessage, queue: str) -> Incoming:
    """A delivery, as ours."""
    return Incoming(
        body=message.body,
        exchange=message.exchange or "",
        routing_key=message.routing_key or "",
        queue=queue,
        headers=dict(message.headers),
        message_id=message.message_id,
        type=message.type,
        priority=message.priority,
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        app_id=message.app_id,
        reply_to=message.reply_to,
        correlation_id=message.correlation_id,
        redelivered=bool(message.redelivered),
    )
