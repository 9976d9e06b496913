"""`python -m persistence` is the recorder; `python -m persistence migrate` brings the schema up to date and ends."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from persistence import migrations
from persistence.declared.declare import declare
from persistence.declared.job_types import Catalogue
from persistence.foreign.recorder import Recorder
from persistence.store.database import Database
from wire import logs
from wire.alive import Alive, first_of, unless
from wire.errors import SettingsError
from wire.lifecycle import run_until_stopped
from wire.metrics.kinds import RECORDER
from wire.metrics.listener import Exposed
from wire.rabbitmq.amqp import Broker
from wire.settings import Settings, load
from wire.signature import signature
from wire.spans.setup import Spans


async def record(settings: Settings) -> None:
    """The recorder's life."""
    name = signature("recorder")
    database = Database.of(settings.stores, name)
    broker = Broker.of(settings.stores, name, lambda b: declare(b, database, settings.stores.profile))
    catalogue = Catalogue(database, settings.worker.lease_seconds)
    recorder = Recorder(database, broker, catalogue, settings.limits.max_body_bytes)
    deaf = unless(lambda: broker.connected, lambda: f"takes nothing: {broker.last_error}")
    trouble = first_of([deaf, recorder.trouble])
    alive = Alive(settings.logs.alive_folder, "recorder", trouble)
    exposed = Exposed(settings.metrics, RECORDER, looks=[database.look, broker.look], trouble=trouble)
    await run_until_stopped([Spans("recorder"), exposed, database, broker, recorder, alive])


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
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # a fifth more births a second
            runner.run(record(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
