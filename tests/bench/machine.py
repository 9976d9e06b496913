"""What a run stood on: a rate says nothing without it."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.stage import Servers
from tests.databases import value

SYNCS = 100
PAGE_BYTES = 8192  # what a small commit of Postgres writes


@dataclass(frozen=True, slots=True)
class Machine:
    cores: int
    processor: str
    python: str
    rabbitmq: str
    postgres: str
    fsync_millis: float
    load: float  # of the minute before the run: what else the machine does

    def told(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), Python {self.python}, RabbitMQ {self.rabbitmq}, "
            f"Postgres {self.postgres}, fsync {self.fsync_millis:.2f} ms, load before {self.load:.1f}"
        )


def machine(servers: Servers, load: float) -> Machine:
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        python=platform.python_version(),
        rabbitmq=servers.broker.version(),
        postgres=str(value(servers.database.dsn, "SHOW server_version")).split()[0],
        fsync_millis=fsync_millis(servers.home),
        load=load,
    )


def fsync_millis(folder: Path) -> float:
    """The median of some writes of a page, each of which waits for the disk."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            started = time.perf_counter()
            os.pwrite(file.fileno(), b"\0" * PAGE_BYTES, 0)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    return statistics.median(took) * 1000


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
