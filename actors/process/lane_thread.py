"""The lane inside Dramatiq's worker process: a daemon thread with an asyncio loop, started and drained by its signals.

Dramatiq's own worker thread stays idle.  The thread is a daemon, because a process that was told to end must end.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Final, Literal
from uuid import UUID, uuid4

import dramatiq
import structlog
import uvloop
from dramatiq.middleware import Middleware

from actors.process.assemble import assemble
from actors.process.child import die_with_parent
from actors.process.heartbeat import Heartbeat
from actors.process.surroundings import surroundings
from persistence.crew import workers
from persistence.crew.workers import Worker
from persistence.declared.job_types import JobType
from persistence.store.database import Database
from wire.alive import Alive, unless
from wire.lifecycle import running
from wire.metrics.family import Telling
from wire.metrics.kinds import WORKER
from wire.settings import Settings
from wire.signature import signature
from wire.spans.setup import Spans
from wire.version import VERSION

log = structlog.get_logger()

# objects, looks at the young, at those that outlived one: the jobs of one batch are more than the usual 700 objects and
# no garbage, but a parsed page that some jobs had in hand is, and millions of its objects must not wait for their look
GARBAGE_AFTER: Final = (10_000, 10, 10)


class LaneThread(Middleware):
    """Starts the lane when the worker has booted, drains it before the worker shuts down."""

    def __init__(self, settings: Settings, types: Mapping[str, JobType]) -> None:
        self._settings, self._types = settings, types
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        die_with_parent()
        gc.set_threshold(*GARBAGE_AFTER)
        gc.freeze()  # what is loaded stays; to look through it for garbage holds the loop for 40 ms
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
        database = Database.of(settings.stores, signature("worker", "lane", process=worker.name))
        connecting = asyncio.ensure_future(database.wait_connected())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if connecting.done():
            async with running([Spans("worker")]):
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
        trouble = unless(parts.consumes, lambda: "does not consume")
        looks = [parts.lane.look, parts.link.look, database.look]
        figures = Telling(settings.worker.metrics_socket, WORKER, looks, trouble)
        heartbeat = Heartbeat(settings.stores, worker, settings.worker, parts.lane, figures.last_words)
        parts.consumer.changed = heartbeat.soon  # or whoever waits for a worker would wait for its next beat as well
        await workers.arrive(database, worker)  # before the first claim: a holder without a row counts as dead
        heartbeat.start()
        alive = Alive(settings.logs.alive_folder, "worker", trouble)
        async with running([*surroundings(settings), figures, parts, alive]):
            await stopping
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
        version=VERSION,
    )
