"""`python -m scheduler`: the process that turns rows into messages."""

from __future__ import annotations

import asyncio
import sys

from persistence.artifacts.object_store import ObjectStore
from persistence.declared.declare import declare
from persistence.store.database import Database
from persistence.store.listen import OUTBOX, REPLIES, SCHEDULES, Listener
from scheduler.artifacts import ArtifactSweep
from scheduler.batches import BatchCounter, BatchOrders
from scheduler.clock.clock import Clock
from scheduler.epoch import Epoch
from scheduler.figures import Figures
from scheduler.fold import Fold
from scheduler.hosts import Hosts
from scheduler.reap import Reaper
from scheduler.replies import Replies
from scheduler.rescue import Rescue
from scheduler.retention import Retention
from scheduler.rounds import Rounds
from scheduler.sweep import Sweep
from wire import logs
from wire.alive import Alive, first_of
from wire.errors import SettingsError
from wire.lifecycle import Service, Together, run_until_stopped
from wire.metrics.kinds import SCHEDULER
from wire.metrics.listener import Exposed
from wire.rabbitmq.amqp import Broker
from wire.settings import Settings, load
from wire.signature import signature
from wire.spans.setup import Spans


async def run(settings: Settings) -> None:
    await run_until_stopped(services(settings))


def services(settings: Settings) -> list[Service]:
    """In the order in which they start; the last one stops first."""
    name = signature("scheduler")
    database = Database.of(settings.stores, name)
    broker = Broker.of(settings.stores, name, lambda b: declare(b, database, settings.stores.profile))
    lease_seconds = settings.worker.lease_seconds
    sweep = Sweep(database, broker, settings.scheduler)
    replies = Replies(database, broker, settings.scheduler)
    clock = Clock(database, broker, settings.scheduler)
    objects = ObjectStore(settings.artifacts)
    loops: list[Service] = [
        sweep,
        replies,
        clock,
        Listener(database, {OUTBOX: sweep.wake, REPLIES: replies.wake, SCHEDULES: clock.wake}),
        Epoch(database, broker),
        Reaper(database, settings.scheduler, lease_seconds),
        Rescue(database, broker, settings.scheduler, lease_seconds),
        Retention(database, broker, settings.scheduler),
        Fold(database),
        ArtifactSweep(database, objects),
        BatchCounter(database, broker),
        BatchOrders(database, broker),
        Hosts(database, broker),
    ]
    trouble = first_of([loop.trouble for loop in loops if isinstance(loop, Rounds)])
    alive = Alive(settings.logs.alive_folder, "scheduler", trouble)
    figures = Figures(database, broker, lease_seconds)
    looks = [database.look, broker.look, clock.look]
    exposed = Exposed(settings.metrics, SCHEDULER, looks=looks, gather=figures.gather, trouble=trouble)
    return [Spans("scheduler"), exposed, database, figures.lead, broker, objects, Together(loops), alive]


def main() -> int:
    try:
        settings = load()
    except SettingsError as e:
        print(*e.faults, sep="\n", file=sys.stderr)  # noqa: T201 - for the person who started it
        return 2
    logs.configure("scheduler", settings.logs.log_level, settings.logs.log_format)
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
