"""The lane inside Dramatiq's worker process: a daemon thread with an asyncio loop, started and drained by its signals.

Dramatiq's own worker thread stays idle.  The thread is a daemon, because a process that was told to end must end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Literal
from uuid import UUID, uuid4

import dramatiq
import structlog
import uvloop
from dramatiq.middleware import Middleware

from actors.assemble import assemble
from actors.child import die_with_parent
from actors.heartbeat import Heartbeat
from persistence import workers
from persistence.database import Database
from persistence.job_types import JobType
from persistence.workers import Worker
from wire.settings import Settings

log = structlog.get_logger()


class LaneThread(Middleware):
    """Starts the lane when the worker has booted, drains it before the worker shuts down."""

    def __init__(self, settings: Settings, types: Mapping[str, JobType]) -> None:
        self._settings, self._types = settings, types
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        die_with_parent()
        heed_the_first(signal.SIGTERM, signal.SIGHUP)
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(broker, ready), name="lane", daemon=True)
        self._thread.start()
        ready.wait()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        assert self._loop is not None
        assert self._stop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(self._settings.worker.drain_seconds * 1.5 + 10)

    def _run(self, broker: dramatiq.Broker, ready: threading.Event) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                self._loop, self._stop = runner.get_loop(), asyncio.Event()
                ready.set()
                runner.run(self._live(broker, self._stop))
        except BaseException:
            log.critical("lane_broken", step="life", exc_info=True)
            os._exit(os.EX_SOFTWARE)  # a worker without a lane is deaf; the supervisor starts another

    async def _live(self, broker: dramatiq.Broker, stop: asyncio.Event) -> None:
        settings = self._settings
        worker = describe(settings, self._types)
        database = Database.of(settings.stores, f"warren worker {worker.name}")
        connecting = asyncio.ensure_future(database.wait_connected())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if connecting.done():
            await self._serve(broker, database, worker, stopping)
        connecting.cancel()
        await database.stop()

    async def _serve(
        self,
        broker: dramatiq.Broker,
        database: Database,
        worker: Worker,
        stopping: asyncio.Future[Literal[True]],
    ) -> None:
        settings = self._settings
        parts = assemble(broker, database, worker, settings, self._types)
        heartbeat = Heartbeat(settings.stores, worker, settings.worker, parts.lane)
        await workers.arrive(database, worker)  # before the first claim: a holder without a row counts as dead
        heartbeat.start()
        await parts.start()
        await stopping
        await parts.stop()
        await asyncio.to_thread(heartbeat.stop, settings.stores.database_timeout_seconds)
        log.info("worker_stopped")


def heed_the_first(*numbers: int) -> None:
    """Dramatiq ends at once at a second signal; a signal to the whole group must not cut the drain short."""
    first = {number: signal.getsignal(number) for number in numbers}

    def heed(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        handler = first[number]
        assert callable(handler)
        handler(number, frame)

    for number in numbers:
        signal.signal(number, heed)


def describe(settings: Settings, types: Mapping[str, JobType]) -> Worker:
    """This process, as its row in `workers` says."""
    host = socket.gethostname()
    given = settings.worker.session_id
    return Worker(
        session=UUID(given) if given else uuid4(),
        name=f"{settings.worker.worker_id or host}:{os.getpid()}",
        host=host,
        pid=os.getpid(),
        queues=sorted({job_type.queue for job_type in types.values()}),
        types=sorted(types),
        concurrency=settings.worker.concurrency,
    )
