"""`python -m scheduler`: the process that turns rows into messages."""

from __future__ import annotations

import asyncio
import sys

from persistence.database import Database
from persistence.declare import declare
from persistence.listen import Listener
from scheduler.epoch import Epoch
from scheduler.reap import Reaper
from scheduler.rescue import Rescue
from scheduler.retention import Retention
from scheduler.sweep import Sweep
from wire import logs
from wire.amqp import Broker
from wire.errors import SettingsError
from wire.lifecycle import Service, run_until_stopped
from wire.settings import Settings, load


async def run(settings: Settings) -> None:
    database = Database.of(settings.stores, "warren scheduler")
    broker = Broker.of(settings.stores, "warren scheduler", lambda b: declare(b, database, settings.stores.profile))
    lease_seconds = settings.worker.lease_seconds
    sweep = Sweep(database, broker, settings.scheduler)
    loops: list[Service] = [
        sweep,
        Listener(database, sweep.wake),
        Epoch(database, broker),
        Reaper(database, settings.scheduler, lease_seconds),
        Rescue(database, broker, settings.scheduler, lease_seconds),
        Retention(database, broker, settings.scheduler),
    ]
    await run_until_stopped([database, broker, *loops])


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
