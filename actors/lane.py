"""The lane: one asyncio loop on which a process takes jobs, does them and settles them.

    consume → buffer → admit (claim) → attempt → settle (record, then ack)

Each step works on whatever is in flight, never on one job a round trip.  What is decided lives in verdict.py and in the
claim; this file only moves deliveries from one step to the next, and knows how to start and how to drain.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import dramatiq
import structlog

from actors import prefetch
from actors.admit import Admission, Verdicts
from actors.attempt import Attempt, coroutine_function, may_block
from actors.buffer import Buffer
from actors.consume import Consumer
from actors.context import Context
from actors.delivery import Delivery
from actors.door import Door
from actors.importance import Importance
from actors.settle import Settler
from actors.slots import Slots
from actors.surplus import put_back
from actors.threads import Threads
from actors.trial import Trial
from actors.upkeep import Upkeep
from actors.verdict import End, Stopped, TimedOut
from persistence.claim import Claim
from persistence.database import COLLIDED, Database
from persistence.job_types import JobType
from persistence.outbox import Post, Publisher
from persistence.workers import Pulse
from wire.agreement import job_id, named_type
from wire.errors import DatabaseUnavailable, Refused
from wire.lifecycle import lasting
from wire.settings import Worker as WorkerSettings
from wire.tracing import TRACEPARENT, TRACESTATE, Trace

log = structlog.get_logger()

SIGNAL_THREADS: Final = 4  # apart from those of sync actors, which long jobs may hold
LOOK_SECONDS: Final = 1.0  # how often the prefetch is reconsidered and progress is written
ADMIT: Final = 500
ASK_AGAIN_SECONDS: Final = 0.02  # at first; doubles
SLOWEST_ASK_SECONDS: Final = 0.32  # how long a dead process's jobs may wait after its death is noted


class Lane:
    """What the parts share; one instance a process."""

    def __init__(
        self,
        broker: dramatiq.Broker,
        types: Mapping[str, JobType],
        settings: WorkerSettings,
        *,
        database: Database,
        consumer: Consumer,
        admission: Admission,
        publisher: Publisher,
        door: Door,
        worker: str,
    ) -> None:
        self._broker, self._types, self._settings = broker, types, settings
        self._database, self._consumer, self._admission, self._publisher = database, consumer, admission, publisher
        self._door = door
        self._functions = {name: coroutine_function(broker.actors[name]) for name in types}
        self._slots = Slots(settings.concurrency, settings.threads)
        self._threads = Threads(self._slots.free_threads)
        self._signals = Threads(SIGNAL_THREADS) if any(map(may_block, broker.middleware)) else None
        self._settler = Settler(database, publisher, worker, settled=self._settled)
        self._async, self._sync = Buffer(), Buffer()
        self._running: dict[UUID, Attempt] = {}
        self._trial = Trial()
        self._importance = Importance(
            database, sorted({t.queue for t in types.values()}), list(types), consumer.give_back
        )
        self._marks: dict[tuple[str, int], datetime] = {}  # how far each queue has come; see persistence/rescue.py
        self._oldest: float | None = None  # the arrival of the delivery that has waited longest
        self.upkeep = Upkeep(self._running, database, self._recycle)
        self._settled_deliveries: list[Delivery] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._draining = False
        self._tasks: list[asyncio.Task[None]] = []
        self._seen = (time.monotonic(), 0)

    async def start(self) -> None:
        self._tasks = [
            lasting(self._settler.work(), "settle"),
            lasting(self._admit(), "admit"),
            lasting(self.upkeep.watch_the_time(), "watch the time"),
            lasting(self._look_around(), "look around"),
            lasting(self._stay_open(), "stay open"),
        ]

    async def drain(self) -> None:
        """Finish what runs, give it `drain_seconds`, interrupt the rest, record all of it."""
        self._draining = True
        await self._consumer.stop_consuming()
        self._consumer.give_back(self._async.shed(0) + self._sync.shed(0))
        for buffer in (self._async, self._sync):
            buffer.neglect([])
        log.info("draining", running=len(self._running))
        await self._until_idle(self._settings.drain_seconds)
        for attempt in list(self._running.values()):
            attempt.cancel(Stopped())
        await self._until_idle(self._settings.drain_seconds / 4 + 1)
        for attempt in list(self._running.values()):
            self._abandon(attempt, Stopped())
        await self._until_idle(1.0)
        for task in self._tasks:
            task.cancel()
        self._ack_settled()
        for threads in filter(None, (self._threads, self._signals)):
            threads.stop()

    def take(self, delivery: Delivery) -> None:
        """A delivery has arrived."""
        name = named_type(delivery.message)
        if self._draining:
            self._consumer.give_back([delivery])
        elif name is None or name not in self._types:
            self._consumer.reject([delivery])  # known elsewhere or nowhere: the recorder can tell
        elif not self._attach(delivery):
            (self._async if self._functions[name] else self._sync).put(delivery)
            self._wake.set()

    def pulse(self) -> Pulse:
        """What the heartbeat says of this lane; called from its thread."""
        marks, self._marks = self._marks, {}
        return Pulse(
            free_slots=self._slots.free,
            consuming=self._consumer.consuming,
            idle_seconds=_since(self._consumer.last_delivery),
            waiting=len(self._async) + len(self._sync),
            waiting_seconds=_since(self._oldest),
            marks=marks,
        )

    async def _admit(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._next_batch():
                suspects = 0 if self._trial.stands(time.monotonic()) else 1
                self._act(await self._admission.admit(batch, suspects))

    def _next_batch(self) -> list[Delivery]:
        """What can start now, with its slots taken; copies of what has started here meanwhile are attached to it."""
        batch: list[Delivery] = []
        for thread, buffer in ((True, self._sync), (False, self._async)):
            while taken := buffer.take(min(self._slots.free_for(thread=thread), ADMIT - len(batch))):
                fresh = [delivery for delivery in taken if not self._attach(delivery)]
                self._slots.take(len(fresh), thread=thread)
                batch += fresh
        return batch

    def _attach(self, delivery: Delivery) -> bool:
        """Whether the job runs here already; its message is then acked with it."""
        message = delivery.message
        if not self._running or message.message_id is None:
            return False
        try:
            attempt = self._running.get(job_id(message))
        except Refused:
            return False  # no job id: the admission says so in a dead letter
        if attempt is None or (message.run or 1) != attempt.claim.run:
            return False
        if message.run is None and message.body != attempt.deliveries[0].message.body:
            return False  # no copy: a stranger has used the id again, and the claim will say so
        attempt.deliveries.append(delivery)
        return True

    def _act(self, verdicts: Verdicts) -> None:
        for delivery, claim in verdicts.start:
            self._mark(delivery, claim)
            self._begin(delivery, claim)
        self._publisher.give([_parked(delivery, claim) for delivery, claim in verdicts.park])
        answered = [delivery for delivery, _ in (*verdicts.park, *verdicts.letters)] + verdicts.ack
        self._consumer.ack(answered)  # after the claim's commit, which holds the outbox rows and the letters
        for delivery in (*answered, *verdicts.ask_again):
            thread = self._on_thread(delivery)
            self._slots.give_back(thread=thread)
            if not delivery.in_turn:
                (self._sync if thread else self._async).owe()
        for delivery in verdicts.ask_again:
            delivery.asked += 1
            seconds = min(SLOWEST_ASK_SECONDS, ASK_AGAIN_SECONDS * 2 ** min(delivery.asked, 10))
            asyncio.get_running_loop().call_later(seconds, self.take, delivery)
        self._wake.set()
        self._note_whether_idle()

    def _mark(self, delivery: Delivery, claim: Claim) -> None:
        """A first start tells how far its queue has come: what was due long before it and still waits is lost."""
        if claim.first and claim.due_at is not None and delivery.in_turn:
            job_type = self._types[named_type(delivery.message) or ""]
            place = (job_type.queue, delivery.message.priority or job_type.priority)
            self._marks[place] = max(claim.due_at, self._marks.get(place, claim.due_at))

    def _begin(self, delivery: Delivery, claim: Claim) -> None:
        name = named_type(delivery.message) or ""
        context = _context(delivery, claim, self._types[name], self._door)
        attempt = Attempt(self._broker, self._types[name], claim=claim, delivery=delivery, job=context)
        self._running[context.job_id] = attempt
        function = self._functions[name]
        if claim.crashes:
            self._trial.begin(attempt, claim.crashes, time.monotonic())
        if function is None:
            self._threads.run(attempt.run_sync, lambda: self._ended(attempt, thread=True))
        else:
            task = attempt.start(function, self._signals)
            task.add_done_callback(lambda _: self._ended(attempt, thread=False))

    def _recycle(self, attempt: Attempt) -> None:
        """A sync actor does not end: record it, let the others finish, and let the supervisor start another process."""
        log.error("worker_recycles", job_id=str(attempt.context.job_id), type=attempt.context.type)
        self._abandon(attempt, TimedOut(timedelta(seconds=attempt.claim.timeout_seconds)))
        os.kill(os.getpid(), signal.SIGTERM)

    def _abandon(self, attempt: Attempt, end: End) -> None:
        if attempt.on_thread:
            attempt.abandon(end)
            self._settler.put(attempt)

    def _ended(self, attempt: Attempt, *, thread: bool) -> None:
        self._slots.give_back(thread=thread)
        self._trial.over(attempt)
        if attempt.abandoned:
            return  # it was settled when we gave up on it
        self._settler.put(attempt)
        self._wake.set()

    def _settled(self, attempt: Attempt) -> None:
        """Its outcome is committed."""
        if self._running.get(attempt.context.job_id) is attempt:
            del self._running[attempt.context.job_id]
            self._note_whether_idle()
        self._settled_deliveries += attempt.deliveries
        if len(self._settled_deliveries) == len(attempt.deliveries):
            asyncio.get_running_loop().call_soon(self._ack_settled)

    def _ack_settled(self) -> None:
        settled, self._settled_deliveries = self._settled_deliveries, []
        self._consumer.ack(settled)

    def _note_whether_idle(self) -> None:
        """Idle: nothing runs, and no claim is under way that may yet be granted."""
        if not self._running and not self._slots.used:
            self._idle.set()

    def _on_thread(self, delivery: Delivery) -> bool:
        return self._functions[named_type(delivery.message) or ""] is None

    async def _stay_open(self) -> None:
        """For a job that is more important than all that waits here."""
        while True:
            await asyncio.sleep(prefetch.AHEAD_SECONDS)
            with contextlib.suppress(DatabaseUnavailable, *COLLIDED):  # the next moment will do
                await self._importance.exchange(self._async, self._sync)

    async def _look_around(self) -> None:
        """Write the progress, reconsider the prefetch, see who is neglected."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._oldest = min(filter(None, (self._async.oldest(), self._sync.oldest())), default=None)
            await self.upkeep.write_progress()
            await self._resize()

    async def _resize(self) -> None:
        then, count = self._seen
        now, settled = time.monotonic(), self._settler.count
        self._seen = (now, settled)
        await self._note_neglected(settled - count)
        if self._settings.prefetch or self._draining:
            return
        waiting = len(self._async) + len(self._sync)
        average = (self._async.bytes + self._sync.bytes) / waiting if waiting else 0.0
        wanted = prefetch.wanted(self._settings.concurrency, (settled - count) / (now - then), average)
        if prefetch.worth_changing(self._consumer.prefetch, wanted):
            await self._consumer.resize(wanted)
            surplus = self._sync.shed(wanted) + self._async.shed(wanted)
            await put_back(surplus, self._consumer, publisher=self._publisher, database=self._database)

    async def _note_neglected(self, starts: int) -> None:
        """Those that never come while all slots are taken by what is more important."""
        came = [level for buffer in (self._async, self._sync) if (level := buffer.lowest_lately()) is not None]
        if not came and not self._slots.free_threads:
            came = [attempt.context.priority for attempt in self._running.values()]
        found: list[Delivery] = []
        if min(came, default=0) > 1 and not self._draining:
            try:
                found = await self._importance.find_neglected(min(came), starts)
            except (DatabaseUnavailable, *COLLIDED) as e:
                log.warning("neglected_not_seen", error=str(e))  # those known so far will do
                return
        for buffer, thread in ((self._async, False), (self._sync, True)):
            buffer.neglect([delivery for delivery in found if self._on_thread(delivery) is thread])

    async def _until_idle(self, seconds: float) -> None:
        """Until nothing runs and all is recorded, or the time is over."""
        self._idle.clear()
        self._note_whether_idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()


def _since(moment: float | None) -> float | None:
    return None if moment is None else time.monotonic() - moment


def _context(delivery: Delivery, claim: Claim, job_type: JobType, door: Door) -> Context:
    message = delivery.message
    trace = Trace.of({TRACEPARENT: claim.traceparent, TRACESTATE: claim.tracestate}) or Trace.begin()
    return Context(
        job_id=job_id(message),
        type=job_type.name,
        queue=job_type.queue,
        attempt=claim.attempt,
        max_retries=claim.max_retries,
        priority=message.priority or job_type.priority,
        trace=trace,
        headers=message.headers,
        door=door,
    )


def _parked(delivery: Delivery, claim: Claim) -> Post:
    message = delivery.message
    assert claim.post_seq is not None
    return Post(
        seq=claim.post_seq,
        job_id=job_id(message),
        type=named_type(message) or "",
        priority=message.priority or 5,
        body=message.body,
        run=claim.run,
        attempt=0,
        wait=claim.wait,
        exact=True,
        because=None,
        trace=Trace.of(message.headers) or Trace.begin(),
    )
