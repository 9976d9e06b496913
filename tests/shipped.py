"""The job types that come with Warren, as a worker would register them, in a process that is none."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import dramatiq
from dramatiq import broker as dramatiq_broker

from actors import catalogue
from actors.broker import JobBroker
from actors.configured import configured_as
from actors.declared.roster import job_types
from persistence.declared.job_types import JobType
from wire.settings import Limits, Slice


def declare() -> int:
    """Declare them all on the broker that is set; returns how many files there are."""
    names = [f"{catalogue.__name__}.{module.name}" for module in pkgutil.iter_modules(catalogue.__path__)]
    for name in names:
        sys.modules.pop(name, None)
        importlib.import_module(name)
    return len(names)


def shipped(*slices: Slice) -> dict[str, JobType]:
    """All of them by name, on a worker with these settings."""
    before = dramatiq_broker.global_broker
    broker = JobBroker("amqp://nobody:nothing@127.0.0.1:1/", Limits(), "test")
    dramatiq.set_broker(broker)
    try:
        declare()
        with configured_as(*slices):
            return job_types(broker.actors, Limits())
    finally:
        dramatiq_broker.global_broker = before
