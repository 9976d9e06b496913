"""Keep a number of worker processes alive: a crash costs one of them, never the group.

Each is a session of its own.  The moment one ends, whatever is left of it is killed and the end of its session is
written, so that its jobs are taken over at once and not after a silence; then another is started.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from uuid import UUID, uuid4

import structlog

from actors.process.session import end_session
from persistence.crew import workers
from persistence.store.database import COLLIDED, Database
from wire.errors import DatabaseUnavailable
from wire.lifecycle import pause, running
from wire.metrics import table as metrics
from wire.metrics.family import Gathering
from wire.metrics.kinds import WORKER
from wire.metrics.listener import Exposed
from wire.rabbitmq.backoff import waits
from wire.settings import Settings
from wire.signature import signature

log = structlog.get_logger()

STEADY_SECONDS = 10.0  # who lived this long is restarted without a wait
LONGEST_REST_SECONDS = 5.0  # for one that dies again and again: each start costs a second of a core


class Child:
    """One place in the group; the process in it changes."""

    def __init__(
        self, number: int, settings: Settings, database: Database, gathering: Gathering, *, watched: bool = False
    ) -> None:
        self._number, self._settings, self._database, self._watched = number, settings, database, watched
        self._gathering = gathering
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
                metrics.DEATHS.add()
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
            sys.executable, "-m", "actors.process.child", env=self._environment(session), start_new_session=True
        )  # fmt: skip
        log.info("worker_started", number=self._number, pid=self._process.pid, session=str(session))
        code = await self._process.wait()
        await asyncio.to_thread(end_session, self._process.pid)  # Dramatiq's fork, child processes, what jobs started
        await self._end(session)
        await self._gathering.departed(self._process.pid)
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
            "WARREN_METRICS_SOCKET": self._gathering.socket,
        }


def _is_misconfigured(code: int, seconds: float) -> bool:
    return code in (os.EX_USAGE, os.EX_CONFIG) or (code == 2 and seconds < STEADY_SECONDS)


async def supervise(settings: Settings, stopped: asyncio.Event, changed: asyncio.Event | None = None) -> int:
    """All children, until stopped; `changed` restarts them."""
    database = Database.of(settings.stores, signature("supervisor"))
    gathering = Gathering(listens=bool(settings.metrics.metrics_port))
    exposed = Exposed(settings.metrics, WORKER, others=gathering.snapshots, trouble=gathering.trouble)
    async with running([gathering, exposed]):
        children = [
            Child(number, settings, database, gathering, watched=changed is not None)
            for number in range(settings.worker.processes)
        ]
        code = await _keep(children, stopped, changed)
    await database.stop()
    return code


async def _keep(children: Sequence[Child], stopped: asyncio.Event, changed: asyncio.Event | None) -> int:
    lives = [asyncio.ensure_future(child.keep()) for child in children]
    restarts = asyncio.ensure_future(_restart_when(changed, children)) if changed else None
    stopping = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({stopping, *lives}, return_when=asyncio.FIRST_COMPLETED)
    for waiting in filter(None, (stopping, restarts)):
        waiting.cancel()
    for child in children:
        child.stop()
    return max(await asyncio.gather(*lives))


async def _restart_when(changed: asyncio.Event, children: Sequence[Child]) -> None:
    while True:
        await changed.wait()
        changed.clear()
        for child in children:
            child.restart()
