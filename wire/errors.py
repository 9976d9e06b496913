"""The one tree of our exceptions.

    WarrenError
    ├── Refused            what a sender wrote cannot be accepted: names the field and the remedy
    ├── SettingsError      the process cannot start as configured; lists every fault
    ├── TopologyMismatch   the broker's objects were declared otherwise; names both and the way out
    └── Unavailable        try again later
        ├── BrokerUnavailable
        │   └── NobodyThere    RabbitMQ knows no queue for this message
        ├── DatabaseUnavailable
        └── ObjectStoreUnavailable

What only a client raises hangs on this tree too: gateway/client/failures.py.
An expected end of a job is a value (see actors/attempts/verdict.py), never one of these.
"""

from __future__ import annotations


class WarrenError(Exception):
    """Whatever goes wrong in Warren on purpose."""


class Refused(WarrenError):
    """Something a sender wrote that we will not take; the same words go to HTTP, gRPC and the dead letter."""

    def __init__(self, field: str, problem: str, remedy: str = "", *, code: str = "malformed") -> None:
        self.field, self.problem, self.remedy, self.code = field, problem, remedy, code
        super().__init__(f"{field}: {problem}" + (f"; {remedy}" if remedy else ""))


class SettingsError(WarrenError):
    """All faults of a configuration, told at once."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class TopologyMismatch(WarrenError):
    """An exchange or queue stands on the broker with other arguments than ours."""


class Unavailable(WarrenError):
    """A store is away; the caller keeps what it holds and tries again."""


class BrokerUnavailable(Unavailable):
    """RabbitMQ cannot be reached, is blocked by an alarm, or did not confirm in time."""


class NobodyThere(BrokerUnavailable):
    """RabbitMQ took the message and gave it back: it knows no queue for it."""


class DatabaseUnavailable(Unavailable):
    """Postgres cannot be reached or did not answer in time."""


class ObjectStoreUnavailable(Unavailable):
    """Where the bytes of artifacts are cannot be reached, is full, or does not let us in."""
