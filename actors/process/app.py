"""What `dramatiq` loads: the broker, the engine and the job modules.

The one place where importing does work, because Dramatiq's decorator needs its broker before any actor is declared.
Import it in a worker only; a process that merely sends uses `warren.broker()`.
"""

from __future__ import annotations

import sys

import dramatiq

from actors.attempts import capture
from actors.broker import JobBroker
from actors.configured import configure
from actors.declared.roster import job_types, served
from actors.process.lane_thread import LaneThread
from actors.process.modules import load_job_modules
from wire.errors import SettingsError
from wire.settings import load

try:
    settings = load()
    capture.configure("worker", settings.logs)
    broker = JobBroker(settings.stores.amqp_url.get_secret_value(), settings.limits, "worker", in_worker=True)
    dramatiq.set_broker(broker)
    configure(settings)
    load_job_modules(settings.worker.actors)
    capture.install()  # after them: they may set up logging in a way of their own
    types = served(job_types(broker.actors, settings.limits), settings.worker.queues)
    broker.add_middleware(LaneThread(settings, types))
except SettingsError as e:
    print(*e.faults, sep="\n", file=sys.stderr)  # noqa: T201 - for the person who started it
    sys.exit(2)
