"""A message of ours in the library's words.  Talks to nobody."""

from __future__ import annotations

from datetime import UTC, datetime

from aiormq import spec

from wire.message import CONTENT_TYPE, Outgoing


def properties(message: Outgoing) -> spec.Basic.Properties:
    """What travels beside the body: written anew for every message, durable, never copied from one received."""
    return spec.Basic.Properties(
        content_type=CONTENT_TYPE,
        delivery_mode=2,
        message_id=message.message_id,
        correlation_id=message.correlation_id,
        message_type=message.type,
        priority=message.priority,
        timestamp=datetime.now(UTC),
        app_id="warren",
        headers=dict(message.headers),
    )
