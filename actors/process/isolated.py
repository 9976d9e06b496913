"""`python -m actors.process.isolated`: a child process of a worker, for jobs with `isolation="process"`.

It reads the same settings and imports the same job modules as its worker, and connects to nothing: RabbitMQ, Postgres
and the object store are reached through the worker.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

import dramatiq

from actors.attempts import capture
from actors.broker import JobBroker
from actors.configured import configure
from actors.isolation import bounds
from actors.isolation.doing import Doing
from actors.isolation.parent import Parent
from actors.isolation.said import Ready
from actors.process.modules import load_job_modules
from actors.process.surroundings import surroundings
from actors.trades.outbound import here
from wire.errors import SettingsError
from wire.settings import Settings, load
from wire.spans.setup import Spans


def main() -> int:
    """Until the worker has nothing more to do, or is gone."""
    descriptor, worker = int(sys.argv[1]), int(sys.argv[2])
    bounds.leave_the_end_to_the_parent()
    bounds.no_core()
    bounds.go_first()
    os.set_inheritable(descriptor, False)  # what a job starts must not keep the worker from hearing of our end
    bounds.end_with(worker)
    parent = Parent(socket.socket(fileno=descriptor))
    parent.start()
    try:
        settings = load()
        broker = _broker(settings)
    except SettingsError as e:
        parent.say(Ready("; ".join(e.faults)))
        return os.EX_CONFIG
    except Exception as e:
        parent.say(Ready(f"{type(e).__name__}: {e}"))
        raise
    parent.say(Ready())
    spans = Spans("worker")
    asyncio.run(spans.start())
    Doing(parent, broker, lambda: surroundings(settings), settings.stores).work()
    asyncio.run(spans.stop())
    return 0


def _broker(settings: Settings) -> JobBroker:
    """The job types, declared as in the worker."""
    capture.configure("worker", settings.logs)
    broker = JobBroker(settings.stores.amqp_url.get_secret_value(), settings.limits, "worker", in_worker=True)
    dramatiq.set_broker(broker)
    configure(settings)
    here.settings = settings.outbound  # for a sync function, which has no guard on a loop
    load_job_modules(settings.worker.actors)
    capture.install()
    return broker


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # without waiting for threads that a job has left behind
