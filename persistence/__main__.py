"""`python -m persistence` is the recorder; `python -m persistence migrate` brings the schema up to date and ends."""

from __future__ import annotations

import asyncio
import sys

from persistence import migrations
from persistence.database import Database
from persistence.declare import declare
from persistence.job_types import Catalogue
from persistence.recorder import Recorder
from wire import logs
from wire.amqp import Broker
from wire.errors import SettingsError
from wire.lifecycle import run_until_stopped
from wire.settings import Settings, load


async def record(settings: Settings) -> None:
    """The recorder's life."""
    database = Database.of(settings.stores, "warren recorder")
    broker = Broker.of(settings.stores, "warren recorder", lambda b: declare(b, database, settings.stores.profile))
    catalogue = Catalogue(database, settings.worker.lease_seconds)
    recorder = Recorder(database, broker, catalogue, settings.limits.max_body_bytes)
    await run_until_stopped([database, broker, recorder])


def main() -> int:
    try:
        settings = load()
    except SettingsError as e:
        print(*e.faults, sep="\n", file=sys.stderr)  # noqa: T201 - for the person who started it
        return 2
    logs.configure("recorder", settings.logs.log_level, settings.logs.log_format)
    if sys.argv[1:] == ["migrate"]:
        migrations.upgrade(settings.stores.database_url.get_secret_value())
    else:
        asyncio.run(record(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
