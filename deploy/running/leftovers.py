"""Stop what a supervisor left behind that was killed itself.

Works from the records in the data folder, each checked by start time: a number that now belongs to
somebody else is left alone.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from deploy.machine.processes import read_record
from deploy.running.folder import Folder
from deploy.servers import docker
from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ

ROLES = ("workers", "gateway", "scheduler", "recorder")  # in the order in which they drain
DRAIN_SECONDS = 60.0

Say = Callable[[str, str], None]


def stop_processes(folder: Folder, say: Say) -> int:
    stopped = 0
    for name in ROLES:
        if (process := read_record(folder.record(name))) is not None:
            say(name, "left behind by a killed supervisor; draining")
            process.stop(DRAIN_SECONDS)
            stopped += 1
        folder.record(name).unlink(missing_ok=True)
    return stopped


def stop_servers(folder: Folder, say: Say) -> int:
    stopped = 0
    for server, number in ((RabbitMQ, signal.SIGTERM), (Postgres, signal.SIGINT)):
        for record in ("process.json", "epmd.json"):
            path = folder.path / server.name / record
            if (process := read_record(path)) is not None:
                say(server.name, "left behind by a killed supervisor; stopping")
                process.stop(server.stop_seconds, number)
                stopped += 1
            path.unlink(missing_ok=True)
    return stopped + _stop_containers(folder, say)


def _stop_containers(folder: Folder, say: Say) -> int:
    stopped = 0
    for kind in (docker.RabbitMQ, docker.Postgres):
        place = folder.path / kind.name
        if (place / docker.MARK).exists() and docker.answers():
            container = kind(place)
            if container.alive():
                say(kind.name, "stopping its container")
                container.stop()
                stopped += 1
    return stopped
