"""Keep a number of worker processes alive: a crash costs one of them, never the group.

Each is a process group of its own.  The moment one ends, whatever is left of its group is killed and the end of its
session is written, so that its jobs are taken over at once and not after a silence; then another is started.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from uuid import UUID, uuid4

import structlog

from persistence import workers
from persistence.database import Database
from wire.backoff import waits
from wire.errors import DatabaseUnavailable
from wire.lifecycle import pause
from wire.settings import Settings

log = structlog.get_logger()

STEADY_SECONDS = 10.0  # who lived this long is restarted without a wait


class Child:
    """One place in the group; the process in it changes."""

    def __init__(self, number: int, settings: Settings, database: Database) -> None:
        self._number, self._settings, self._database = number, settings, database
        self._process: asyncio.subprocess.Process | None = None
        self._stopped = asyncio.Event()

    async def keep(self) -> int:
        """Until stopped; a start that fails for the configuration's sake ends it with that exit code."""
        delays = waits()
        while not self._stopped.is_set():
            began = time.monotonic()
            code = await self._one_life()
            if code == os.EX_USAGE or (code == 2 and time.monotonic() - began < STEADY_SECONDS):
                return 2  # it said which settings are wrong; another try would say the same
            if time.monotonic() - began > STEADY_SECONDS:
                delays = waits()
            if code and not self._stopped.is_set():
                log.warning("worker_died", number=self._number, exit_code=code)
                await pause(self._stopped, next(delays))
        return 0

    def stop(self) -> None:
        """Drain; a second stop is fine."""
        self._stopped.set()
        self.restart()

    def restart(self) -> None:
        """Drain this process; while not stopped, another takes its place."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    async def _one_life(self) -> int:
        session = uuid4()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "actors.child", env=self._environment(session), start_new_session=True
        )  # fmt: skip
        log.info("worker_started", number=self._number, pid=self._process.pid, session=str(session))
        code = await self._process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # Dramatiq's fork must not outlive its session
        await self._end(session)
        return code

    async def _end(self, session: UUID) -> None:
        try:
            await workers.end(self._database, session)
        except DatabaseUnavailable as e:
            log.warning("session_end_not_written", session=str(session), error=str(e))  # its silence ends it

    def _environment(self, session: UUID) -> dict[str, str]:
        worker = self._settings.worker
        return {
            **os.environ,
            "WARREN_SESSION_ID": str(session),
            "WARREN_CONCURRENCY": str(worker.concurrency),
            "WARREN_QUEUES": ",".join(worker.queues),
            "WARREN_DRAIN_SECONDS": str(worker.drain_seconds),
        }


async def supervise(settings: Settings, stopped: asyncio.Event, changed: asyncio.Event | None = None) -> int:
    """All children, until stopped; `changed` restarts them."""
    database = Database.of(settings.stores, "warren workers' supervisor")
    children = [Child(number, settings, database) for number in range(settings.worker.processes)]
    lives = [asyncio.ensure_future(child.keep()) for child in children]
    restarts = asyncio.ensure_future(_restart_when(changed, children)) if changed else None
    stopping = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({stopping, *lives}, return_when=asyncio.FIRST_COMPLETED)
    for waiting in filter(None, (stopping, restarts)):
        waiting.cancel()
    for child in children:
        child.stop()
    codes = await asyncio.gather(*lives)
    await database.stop()
    return max(codes)


async def _restart_when(changed: asyncio.Event, children: list[Child]) -> None:
    while True:
        await changed.wait()
        changed.clear()
        for child in children:
            child.restart()
