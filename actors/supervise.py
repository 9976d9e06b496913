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
from persistence.database import COLLIDED, Database
from wire.backoff import waits
from wire.errors import DatabaseUnavailable
from wire.lifecycle import pause
from wire.settings import Settings

log = structlog.get_logger()

STEADY_SECONDS = 10.0  # who lived this long is restarted without a wait
LONGEST_REST_SECONDS = 5.0  # for one that dies again and again: each start costs a second of a core


class Child:
    """One place in the group; the process in it changes."""

    def __init__(self, number: int, settings: Settings, database: Database, *, watched: bool = False) -> None:
        self._number, self._settings, self._database, self._watched = number, settings, database, watched
        self._process: asyncio.subprocess.Process | None = None
        self._stopped = asyncio.Event()
        self._nudged = asyncio.Event()  # told to stop, or to begin anew

    async def keep(self) -> int:
        """Until stopped; a start that fails for the configuration's sake ends it with that exit code."""
        delays = waits(LONGEST_REST_SECONDS)
        while not self._stopped.is_set():
            self._nudged.clear()
            began = time.monotonic()
            code = await self._one_life()
            if _is_misconfigured(code, time.monotonic() - began):  # it said what is wrong, and would say it again
                if not self._watched:
                    return 2
                log.warning("worker_waits_for_an_edit", number=self._number)
                await self._nudged.wait()
                continue
            if time.monotonic() - began > STEADY_SECONDS:
                delays = waits(LONGEST_REST_SECONDS)
            if code and not self._stopped.is_set():
                log.warning("worker_died", number=self._number, exit_code=code)
                await pause(self._nudged, next(delays))
        return 0

    def stop(self) -> None:
        """Drain; a second stop is fine."""
        self._stopped.set()
        self.restart()

    def restart(self) -> None:
        """Drain this process; while not stopped, another takes its place."""
        self._nudged.set()
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
        except (DatabaseUnavailable, *COLLIDED) as e:
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


def _is_misconfigured(code: int, seconds: float) -> bool:
    return code == os.EX_USAGE or (code == 2 and seconds < STEADY_SECONDS)


async def supervise(settings: Settings, stopped: asyncio.Event, changed: asyncio.Event | None = None) -> int:
    """All children, until stopped; `changed` restarts them."""
    database = Database.of(settings.stores, "warren workers' supervisor")
    watched = changed is not None
    children = [Child(number, settings, database, watched=watched) for number in range(settings.worker.processes)]
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
