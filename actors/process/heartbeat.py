"""Say that this process lives and that it consumes, from a thread and a connection of its own.

A loop that an actor blocks must not cost the process its leases, so nothing here depends on the lane's loop.  What is
said is more than "I live": the free slots, the state of the subscriptions, the time since the last delivery.  A hint
that there are orders, or news of our own, brings the next beat forward.

A loop that stays blocked does nothing and hears nothing, so this thread ends the process: it tells where the loop
stands, charges the one job that stands there, and the others are taken over unblamed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable

import structlog

from actors.attempts.attempt import Attempt
from actors.lane.lane import Lane
from actors.process.watchdog import Watchdog
from persistence.crew import workers
from persistence.crew.remind import remind
from persistence.crew.workers import Worker
from persistence.store.database import COLLIDED, Database
from wire.control import Beat
from wire.errors import DatabaseUnavailable
from wire.lifecycle import pause
from wire.settings import Stores
from wire.settings import Worker as WorkerSettings
from wire.signature import signature

log = structlog.get_logger()


class Heartbeat:
    """A thread with a small loop of its own."""

    def __init__(
        self, stores: Stores, worker: Worker, settings: WorkerSettings, lane: Lane, last_words: Callable[[], None]
    ) -> None:
        self._last_words = last_words
        self._stores, self._worker, self._lane = stores, worker, lane
        self._every, self._stuck_seconds = settings.heartbeat_seconds, settings.stuck_seconds
        self._lanes_loop, self._lanes_thread = asyncio.get_running_loop(), threading.get_ident()
        self._watchdog = Watchdog(self._every, time.monotonic(), lane.upkeep.ticked)
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None
        self._stopping = False
        lane.upkeep.on_beat = self._asked
        lane.hold.changed = self.soon

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Write the end of this session and return; a second stop is fine."""
        self._stopping = True
        self.soon()
        self._thread.join(timeout_seconds)

    def soon(self) -> None:
        """Let the next beat come at once; called from other threads."""
        if self._loop and self._news and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    def _asked(self, hint: Beat) -> None:
        if hint.means(self._worker.session):
            self.soon()

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException:
            log.critical("heartbeat_broken", exc_info=True)
            os._exit(os.EX_SOFTWARE)  # jobs without a beat are taken over while they run: better end at once

    async def _live(self) -> None:
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        database = Database.of(self._stores, signature("worker", "heartbeat", process=self._worker.name), connections=1)
        try:
            while not self._stopping:
                self._news.clear()
                await self._refuse_to_hang(database)
                await self._say(database)
                if not self._stopping:  # told so before the clear
                    await pause(self._news, self._every)
            await workers.end(database, self._worker.session, blamed=())  # a clean end is nobody's crash
        except DatabaseUnavailable as e:
            log.warning("session_end_not_written", error=str(e))  # its silence ends it
        finally:
            await database.stop()

    async def _refuse_to_hang(self, database: Database) -> None:
        stuck = self._watchdog.look(time.monotonic(), self._lane.upkeep.ticked)
        if stuck <= self._stuck_seconds:
            return
        culprit = self._lane.upkeep.standing_in(asyncio.current_task(self._lanes_loop))
        self._tell(stuck, culprit)
        try:  # where nobody can be named the suspects are judged, as after any crash
            blamed = None if culprit is None else [culprit.context.job_id]
            await workers.end(database, self._worker.session, blamed=blamed)
        except (DatabaseUnavailable, *COLLIDED) as e:
            log.warning("session_end_not_written", error=str(e))
        self._last_words()  # whose fault it was has been counted here, and the loop that tells will not turn again
        os._exit(os.EX_SOFTWARE)

    def _tell(self, stuck: float, culprit: Attempt | None) -> None:
        stack = "".join(traceback.format_stack(sys._current_frames().get(self._lanes_thread)))
        named = {"job_id": str(culprit.context.job_id), "type": culprit.context.type} if culprit else {}
        running = len(self._lane.upkeep.held())
        log.critical("loop_blocked", seconds=round(stuck, 1), running=running, **named, stack=stack)

    async def _say(self, database: Database) -> None:
        try:
            await workers.arrive(database, self._worker)
            held = self._lane.upkeep.held()
            orders = await workers.beat(database, self._worker.session, self._lane.pulse(), held)
            if orders.forgotten:
                await remind(database, self._worker.session, [one for one in held if one.job_id in orders.forgotten])
        except (DatabaseUnavailable, *COLLIDED) as e:
            log.warning("heartbeat_missed", error=str(e))
        else:
            self._lanes_loop.call_soon_threadsafe(self._lane.obey, orders, held)
