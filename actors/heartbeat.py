"""Say that this process lives and that it consumes, from a thread and a connection of its own.

A loop that an actor blocks must not cost the process its leases, so nothing here depends on the lane's loop.  What is
said is more than "I live": the free slots, the state of the subscriptions, the time since the last delivery.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import threading
import time
from typing import Final

import structlog

from actors.lane import Lane
from persistence import workers
from persistence.database import COLLIDED, Database
from persistence.workers import Worker
from wire.errors import DatabaseUnavailable
from wire.lifecycle import pause
from wire.settings import Stores

log = structlog.get_logger()

STUCK_SECONDS: Final = 30.0  # longer than any honest pause: a garbage collection, a loaded machine


class Heartbeat:
    """A thread with a small loop of its own."""

    def __init__(self, stores: Stores, worker: Worker, every_seconds: float, lane: Lane) -> None:
        self._stores, self._worker, self._every, self._lane = stores, worker, every_seconds, lane
        self._lanes_loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Write the end of this session and return; a second stop is fine."""
        if self._loop and self._stopped and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException:
            log.critical("heartbeat_broken", exc_info=True)
            os._exit(os.EX_SOFTWARE)  # jobs without a beat are taken over while they run: better end at once

    async def _live(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        database = Database.of(self._stores, f"warren heartbeat {self._worker.name}", connections=1)
        try:
            while not self._stopped.is_set():
                self._refuse_to_hang()
                await self._say(database)
                await pause(self._stopped, self._every)
            await workers.end(database, self._worker.session, blamed=())  # a clean end is nobody's crash
        except DatabaseUnavailable as e:
            log.warning("session_end_not_written", error=str(e))  # its silence ends it
        finally:
            await database.stop()

    def _refuse_to_hang(self) -> None:
        """A loop that an actor blocks for long does nothing and hears nothing: end the process, others take over."""
        stuck = time.monotonic() - self._lane.upkeep.ticked
        if stuck > STUCK_SECONDS:
            log.critical("loop_blocked", seconds=round(stuck), running=len(self._lane.upkeep.held()))
            faulthandler.dump_traceback(file=2, all_threads=True)
            os._exit(os.EX_SOFTWARE)

    async def _say(self, database: Database) -> None:
        try:
            await workers.arrive(database, self._worker)
            held = self._lane.upkeep.held()
            orders = await workers.beat(database, self._worker.session, self._lane.pulse(), held)
        except (DatabaseUnavailable, *COLLIDED) as e:
            log.warning("heartbeat_missed", error=str(e))
        else:
            self._lanes_loop.call_soon_threadsafe(self._lane.upkeep.obey, orders, held)
