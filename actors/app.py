"""What `dramatiq` loads: the broker, the engine and the job modules.

The one place where importing does work, because Dramatiq's decorator needs its broker before any actor is declared.
Import it in a worker only; a process that merely sends uses `warren.broker()`.
"""

from __future__ import annotations

import sys

import dramatiq

from actors.broker import JobBroker
from actors.lane_thread import LaneThread
from actors.modules import load_job_modules
from actors.roster import job_types, served
from wire import logs
from wire.errors import SettingsError
from wire.settings import load

try:
    settings = load()
    logs.configure("worker", settings.logs.log_level, settings.logs.log_format)
    broker = JobBroker(
        settings.stores.amqp_url.get_secret_value(), settings.limits, "warren actors sender", in_worker=True
    )
    dramatiq.set_broker(broker)
    load_job_modules(settings.worker.actors)
    types = served(job_types(broker.actors, settings.limits), settings.worker.queues)
    broker.add_middleware(LaneThread(settings, types))
except SettingsError as e:
    print(*e.faults, sep="\n", file=sys.stderr)  # noqa: T201 - for the person who started it
    sys.exit(2)
