"""What has to be looked at to be known: the loop's lag all the time, the process and its host when somebody asks.

Read from /proc; where there is none, as on macOS, what it would tell is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Final

from wire.metrics import table
from wire.version import VERSION

TURN_SECONDS: Final = 0.5  # between two looks at the lag
_PROC: Final = Path("/proc")
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
_MODES: Final = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_KINDS: Final = {"MemTotal": "total", "MemAvailable": "available"}


class Lag:
    """How much later than it should the loop of this service takes its turn."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="lag")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TURN_SECONDS
            await asyncio.sleep(TURN_SECONDS)
            table.LOOP_LAG.observe(max(0.0, loop.time() - due))


def look_at_process() -> None:
    """Its processor time, memory and files."""
    table.CPU.stands_at(time.process_time())
    with contextlib.suppress(OSError):
        table.MEMORY.set(int((_PROC / "self/statm").read_text().split()[1]) * _PAGE)
        table.FILES.set(len(os.listdir(_PROC / "self/fd")))


def look_at_host() -> None:
    """What the process that exposes the figures tells for all that run beside it."""
    table.INFO.set(1, VERSION)
    with contextlib.suppress(OSError):
        table.HOST_LOAD.set(os.getloadavg()[0])
        told, *_ = (_PROC / "stat").read_text().partition("\n")
        for mode, ticks in zip(_MODES, told.split()[1:], strict=False):
            table.HOST_CPU.stands_at(int(ticks) / _TICKS, mode)
        for line in (_PROC / "meminfo").read_text().splitlines():
            name, _, kilobytes = line.partition(":")
            if name in _KINDS:
                table.HOST_MEMORY.set(int(kilobytes.split()[0]) * 1024, _KINDS[name])
        table.STARTED.set(_started())


def _started() -> float:
    """When this process was started, since 1970."""
    ticks = int((_PROC / "self/stat").read_text().rpartition(")")[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / _TICKS
