"""For a process that only sends: Dramatiq's broker on Warren, from the same settings.

Jobs may be declared before anybody has said where to send: a web service imports one for its payload's model, a test to
run it.  They are declared on a broker of this process's own, which reads the settings when something is first sent.
"""

from __future__ import annotations

import functools
from typing import Final

import dramatiq
from dramatiq import broker as dramatiq_broker

from actors.broker import JobBroker
from wire.envelope import Envelope
from wire.settings import Limits, load

ROLE: Final = "sender"
NOWHERE: Final = "amqp://127.0.0.1:1/"


def broker() -> JobBroker:
    """Make the broker and set it as Dramatiq's; call it before actors are imported."""
    settings = load()
    made = JobBroker(settings.stores.amqp_url.get_secret_value(), settings.limits, ROLE)
    dramatiq.set_broker(made)
    return made


def sender() -> JobBroker:
    """The broker that this process has, or one that is made for it and left out of Dramatiq's sight."""
    known = dramatiq_broker.global_broker  # get_broker() would make one that is not ours
    return known if isinstance(known, JobBroker) else _own()


def declares() -> dramatiq.Broker:
    """The broker that a job is declared on: this process's, unless that is none of ours (a stub, in a test)."""
    known = dramatiq_broker.global_broker
    return known if known is not None and "job" in known.actor_options else _own()


@functools.cache
def _own() -> JobBroker:
    return _Undecided(NOWHERE, Limits(), ROLE)


class _Undecided(JobBroker):
    """One that learns where to send when it first has to."""

    decided = False

    def submit(self, envelope: Envelope) -> None:
        self._decide()
        super().submit(envelope)

    def _publish(self, envelope: Envelope) -> None:
        self._decide()
        super()._publish(envelope)

    def _decide(self) -> None:
        if not self.decided:
            settings = load()
            self.send_to(settings.stores.amqp_url.get_secret_value(), settings.limits)
            self.decided = True
