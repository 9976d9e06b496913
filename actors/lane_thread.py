"""The lane inside Dramatiq's worker process: a daemon thread with an asyncio loop, started and drained by its signals.

Dramatiq's own worker thread stays idle.  The thread is a daemon, because a process that was told to end must end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Literal
from uuid import UUID, uuid4

import dramatiq
import structlog
import uvloop
from dramatiq.middleware import Middleware

from actors.admit import Admission
from actors.child import die_with_parent
from actors.consume import Consumer
from actors.delivery import Delivery
from actors.heartbeat import Heartbeat
from actors.lane import Lane
from persistence import workers
from persistence.database import Database
from persistence.declare import declare, open_ways
from persistence.job_types import Catalogue, JobType, register
from persistence.outbox import Publisher
from persistence.workers import Worker
from wire.amqp import Broker
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
        link = Broker.of(settings.stores, f"warren worker {worker.name} publisher")
        publisher = Publisher(database, link)
        lane: Lane

        def deliver(delivery: Delivery) -> None:
            lane.take(delivery)

        def hear(hint: bytes) -> None:
            lane.upkeep.hear(hint)

        consumer = Consumer(
            settings.stores.amqp_url.get_secret_value(),
            f"warren worker {worker.name}",
            worker.queues,
            prefetch=settings.worker.prefetch or settings.worker.concurrency,
            prepare=lambda: prepare(link, database, settings, list(self._types.values())),
            deliver=deliver,
            hear=hear,
        )
        admission = Admission(
            database,
            Catalogue(database, settings.worker.lease_seconds),
            worker.session,
            lease_seconds=settings.worker.lease_seconds,
            max_bytes=settings.limits.max_body_bytes,
        )
        lane = Lane(
            broker, self._types, settings.worker,
            database=database, consumer=consumer, admission=admission, publisher=publisher, worker=worker.name,
        )  # fmt: skip
        heartbeat = Heartbeat(settings.stores, worker, settings.worker.heartbeat_seconds, lane)
        await workers.arrive(database, worker)  # before the first claim: a holder without a row counts as dead
        heartbeat.start()
        await link.start()
        await publisher.start()
        await lane.start()
        await consumer.start()
        await stopping
        await lane.drain()
        await consumer.stop()
        await publisher.stop()
        await link.stop()
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


async def prepare(link: Broker, database: Database, settings: Settings, types: Sequence[JobType]) -> None:
    """Make these types known and open their ways; done again after every reconnect, for a broker that lost its disk."""
    await link.wait_connected()
    profile = await declare(link, database, settings.stores.profile)
    moved = await register(database, types)
    await open_ways(link, profile, types, moved)


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
