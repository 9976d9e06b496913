"""For a process that only sends: Dramatiq's broker on Warren, from the same settings."""

from __future__ import annotations

import functools

import dramatiq
from dramatiq import broker as dramatiq_broker

from actors.broker import JobBroker
from wire.settings import load


def broker() -> JobBroker:
    """Make the broker and set it as Dramatiq's; call it before actors are imported."""
    made = _from_settings()
    dramatiq.set_broker(made)
    return made


def sender() -> JobBroker:
    """The broker that this process has, or one that is made for it and left out of Dramatiq's sight."""
    known = dramatiq_broker.global_broker  # get_broker() would make one that is not ours
    return known if isinstance(known, JobBroker) else _own()


@functools.cache
def _own() -> JobBroker:
    return _from_settings()


def _from_settings() -> JobBroker:
    settings = load()
    return JobBroker(settings.stores.amqp_url.get_secret_value(), settings.limits, "warren sender")
