"""For a process that only sends: Dramatiq's broker on Warren, from the same settings."""

from __future__ import annotations

import dramatiq

from actors.broker import JobBroker
from wire.settings import load


def broker() -> JobBroker:
    """Make the broker and set it as Dramatiq's; call it before actors are imported."""
    settings = load()
    sender = JobBroker(settings.stores.amqp_url.get_secret_value(), settings.limits, "warren sender")
    dramatiq.set_broker(sender)
    return sender
