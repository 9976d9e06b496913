"""The lane: one asyncio loop on which a process takes jobs, does them and settles them.

    consume → waiting → admit (claim) → begin → attempt → settle (record, then ack)

Each step works on whatever is in flight, never on one job a round trip.  What is decided lives in verdict.py and in the
claim; this file only moves deliveries from one step to the next, and knows how to start and how to drain.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import dramatiq
import structlog

from actors.attempts.attempt import Attempt
from actors.attempts.begin import begin
from actors.attempts.craft import Craft, Place
from actors.attempts.settle import Settler
from actors.attempts.signals import Signals, may_block
from actors.attempts.threads import Threads
from actors.attempts.upkeep import Upkeep
from actors.attempts.verdict import End, Stopped, TimedOut
from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from actors.deliveries.hold import Hold
from actors.deliveries.surplus import put_back
from actors.isolation.children import Children
from actors.lane import figures
from actors.lane.acks import Acks
from actors.lane.admit import Admission, Verdicts, bring_back
from actors.lane.door import Door
from actors.lane.importance import Importance
from actors.lane.marks import Marks
from actors.lane.pace import Pace
from actors.lane.rest import Rest
from actors.lane.slots import Slots
from actors.lane.trial import Trial
from actors.lane.waiting import Waiting
from actors.lane.window import Window
from persistence.accepting.outbox import Publisher
from persistence.attempts.claim import Claim
from persistence.crew.workers import Held, Orders, Pulse, Worker
from persistence.declared.job_types import JobType
from persistence.store.database import Database
from wire.lifecycle import lasting
from wire.metrics import table as metrics
from wire.settings import Worker as WorkerSettings

log = structlog.get_logger()

SIGNAL_THREADS: Final = 4  # apart from those of sync actors, which long jobs may hold
LOOK_SECONDS: Final = 1.0  # how often progress is written and the neglected are looked up
ADMIT: Final = 500
AHEAD_SECONDS: Final = 1.0  # how long what was claimed may wait for a thread; a busy machine may stand still for less
LONGEST_REST_SECONDS: Final = 0.5  # without a tick
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
        children: Children,
        worker: Worker,
    ) -> None:
        self._settings, self._children = settings, children
        self._database, self._consumer, self._admission, self._publisher = database, consumer, admission, publisher
        self._door, self._acks = door, Acks(consumer)
        self._crafts = _crafts(broker, types, children)
        self._slots, self._pace = Slots(settings.concurrency, settings.threads, children.most), Pace()
        self._threads = Threads(self._slots.free_threads)
        self._aside = Threads(SIGNAL_THREADS) if any(map(may_block, broker.middleware)) else None
        self._settler = Settler(database, publisher, worker, archive=door.belongings.archive, settled=self._settled)
        self._waiting = Waiting(self._crafts)
        self._running: dict[UUID, Attempt] = {}
        self._trial, self._marks = Trial(), Marks()
        queues = sorted({t.queue for t in types.values()})
        self._window = Window(
            consumer, self._waiting, Importance(database, queues, list(types), consumer.give_back),
            slots=self._slots, running=self._running, fixed=bool(settings.prefetch), put_back=self._put_back,
            settled=lambda: self._settler.count,
        )  # fmt: skip
        self.hold = Hold(consumer, queues, self._waiting.all, self._put_back)
        self._oldest: float | None = None  # the arrival of the delivery that has waited longest
        self._rest = Rest(lambda: not (self._running or self._slots.used or len(self._waiting)))
        self.upkeep = Upkeep(self._running, database, self._recycle)
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._draining = self._asked_to_end = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [
            lasting(self._settler.work(), "settle"),
            lasting(self._admit(), "admit"),
            lasting(self.upkeep.watch_the_time(self._rest_a_while), "watch the time"),
            lasting(self._look_around(), "look around"),
            lasting(self._leave_none_waiting(), "leave none waiting"),
            lasting(self._window.stay_open(self._rest), "stay open"),
            lasting(self.hold.work(), "hold"),
            lasting(self._settler.keeper.work(), "keep logs"),
        ]

    async def drain(self) -> None:
        """Finish what runs, give it `drain_seconds`, interrupt the rest, record all of it."""
        self._draining = True
        self._window.close()
        self.hold.changed()  # news for the next heartbeat too
        await self._consumer.stop_consuming()
        self._consumer.give_back(self._waiting.shed(0))
        self._waiting.neglect([])
        log.info("draining", running=len(self._running))
        await self._until_idle(self._settings.drain_seconds)
        for attempt in list(self._running.values()):
            attempt.cancel(Stopped())
        await self._until_idle(self._settings.drain_seconds / 4 + 1)
        for attempt in list(self._running.values()):
            self._abandon(attempt, Stopped())
        await self._until_idle(1.0)
        self._settler.large.stop()
        for task in self._tasks:
            task.cancel()
        self._acks.send()
        await self._children.stop()
        for threads in filter(None, (self._threads, self._aside)):
            threads.stop()

    def take(self, delivery: Delivery) -> None:
        """A delivery has arrived."""
        craft = self._crafts.get(delivery.type)
        if self._draining or self.hold.refuses(delivery):
            self._consumer.give_back([delivery])
        elif craft is None:
            self._consumer.reject([delivery])  # known elsewhere or nowhere: the recorder can tell
        elif not self._attach(delivery):
            self._waiting.of(delivery).put(delivery)
            self._wake.set()

    def obey(self, orders: Orders, held: Sequence[Held]) -> None:
        """The heartbeat's answer about what was held when it asked."""
        self.upkeep.obey(orders, held)
        self.hold.heed(orders.paused)
        if orders.drain and not (self._asked_to_end or self._draining):  # a second signal might cut the drain short
            self._asked_to_end = True
            log.info("asked_to_drain")
            os.kill(os.getpid(), signal.SIGTERM)  # the way of every end; the supervisor starts another process

    def pulse(self) -> Pulse:
        """What the heartbeat says of this lane; called from its thread."""
        return Pulse(
            free_slots=self._slots.free,
            consuming=self._consumer.consuming,
            idle_seconds=_since(self._consumer.last_delivery),
            waiting=len(self._waiting),
            waiting_seconds=_since(self._oldest),
            paused=self.hold.now,
            draining=self._draining,
            marks=self._marks.told(),
        )

    def look(self) -> None:
        """What stands here now, for the metrics."""
        figures.standing(
            slots=self._slots.concurrency, free=self._slots.free, running=len(self._running),
            buffered=len(self._waiting), prefetch=self._consumer.prefetch, consuming=self._consumer.consuming,
            for_child=len(self._waiting.in_child),
        )  # fmt: skip
        self._children.look()

    async def _admit(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._next_batch():
                began = time.monotonic()
                suspects = 0 if self._trial.stands(began) else 1
                if len(batch) == 1 and batch[0].run is not None:  # ours: a stranger's is judged before it is read
                    asyncio.get_running_loop().call_soon(batch[0].read_ahead)  # while Postgres is asked
                asyncio.get_running_loop().call_soon(self._rest.end)
                verdicts = await self._admission.admit(batch, suspects)
                took, starts_at = time.monotonic() - began, datetime.now(UTC)
                for delivery, claim in verdicts.start:
                    self._begin(delivery, claim)
                # first: no job waits for the rest; quick ones end in it, and their slots make the next batch cheaper
                await asyncio.sleep(0)
                metrics.note_batch("claim", len(batch), took)
                self._act(verdicts, starts_at)

    def _next_batch(self) -> list[Delivery]:
        """What can start now, with its slots taken; copies of what has started here meanwhile are attached to it."""
        batch, ahead = list[Delivery](), self._pace.ahead
        for place, buffer in self._waiting.by_place.items():
            more = ahead if place is Place.THREAD else 0
            while taken := buffer.take(min(self._slots.free_for(place, ahead=more), ADMIT - len(batch))):
                fresh = [delivery for delivery in taken if not self._attach(delivery)]
                self._slots.take(len(fresh), place)
                batch += fresh
        return batch

    def _attach(self, delivery: Delivery) -> bool:
        """Whether the job runs here already; its message is then acked with it."""
        attempt = self._running.get(delivery.job_id) if delivery.job_id else None
        if attempt is None or (delivery.run or 1) != attempt.claim.run:
            return False
        if delivery.run is None and delivery.message.body != attempt.deliveries[0].message.body:
            return False  # no copy: a stranger has used the id again, and the claim will say so
        attempt.deliveries.append(delivery)
        return True

    def _act(self, verdicts: Verdicts, started_at: datetime) -> None:
        """After the claim, and the begin of what was granted."""
        figures.begun(((self._crafts[delivery.type], claim) for delivery, claim in verdicts.start), started_at)
        self._publisher.give([bring_back(delivery, claim) for delivery, claim in verdicts.park])
        answered = [delivery for delivery, _ in (*verdicts.park, *verdicts.letters)] + verdicts.ack
        self._consumer.ack(answered)  # after the claim's commit, which holds the outbox rows and the letters
        for delivery in (*answered, *verdicts.ask_again):
            self._slots.give_back(self._crafts[delivery.type].place)
            if not delivery.in_turn:
                self._waiting.of(delivery).owe()
        for delivery in verdicts.ask_again:
            delivery.asked += 1
            seconds = min(SLOWEST_ASK_SECONDS, ASK_AGAIN_SECONDS * 2 ** min(delivery.asked, 10))
            asyncio.get_running_loop().call_later(seconds, self.take, delivery)
        self._wake.set()
        self._note_whether_idle()

    def _begin(self, delivery: Delivery, claim: Claim) -> None:
        craft = self._crafts[delivery.type]
        self._marks.note(delivery, claim, craft.type)
        attempt = begin(craft, delivery, claim, door=self._door, over=self._over)
        self._running[attempt.context.job_id] = attempt
        if claim.crashes:
            self._trial.begin(attempt, claim.crashes, time.monotonic())
        if craft.function is None:
            attempt.start_on(self._threads)
        else:
            attempt.start(craft.function, self._aside)

    def _recycle(self, attempt: Attempt) -> None:
        """A sync actor does not end: record it, let the others finish, and let the supervisor start another process."""
        log.error("worker_recycles", job_id=str(attempt.context.job_id), type=attempt.context.type)
        self._abandon(attempt, TimedOut(timedelta(seconds=attempt.claim.timeout_seconds)))
        os.kill(os.getpid(), signal.SIGTERM)

    def _abandon(self, attempt: Attempt, end: End) -> None:
        if attempt.on_thread:
            attempt.abandon(end)
            self._settler.put(attempt)

    def _over(self, attempt: Attempt) -> None:
        """Its function has ended."""
        self._slots.give_back(attempt.craft.place)
        self._trial.over(attempt)
        if attempt.seconds is not None:
            self._pace.note(attempt.seconds)
        if attempt.abandoned:
            return  # it was settled when we gave up on it
        self._settler.put(attempt)
        self._wake.set()

    def _settled(self, attempt: Attempt) -> None:
        """Its outcome is committed."""
        if self._running.get(attempt.context.job_id) is attempt:
            del self._running[attempt.context.job_id]
            self._note_whether_idle()
        self._acks.add(attempt.deliveries)

    def _note_whether_idle(self) -> None:
        """Idle: nothing runs, and no claim is under way that may yet be granted."""
        if not self._running and not self._slots.used:
            self._idle.set()

    async def _look_around(self) -> None:
        """Write the progress, see who is neglected."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._oldest = self._waiting.oldest
            await self.upkeep.write_progress()
            await self._window.look_for_neglected()

    async def _rest_a_while(self) -> bool:
        """The tick that follows says that the loop turns, and is looked for by the heartbeat."""
        return await self._rest.sit_out(min(LONGEST_REST_SECONDS, self._settings.stuck_seconds / 4))

    async def _leave_none_waiting(self) -> None:
        """A job that was claimed because all were quick, and came to no thread since, goes back to its queue."""
        while True:
            await asyncio.sleep(AHEAD_SECONDS)
            if self._threads.waits() > AHEAD_SECONDS:
                self._pace.forget()
                self._threads.leave()

    async def _put_back(self, surplus: list[Delivery]) -> None:
        await put_back(surplus, self._consumer, publisher=self._publisher, database=self._database)

    async def _until_idle(self, seconds: float) -> None:
        """Until nothing runs and all is recorded, or the time is over."""
        self._idle.clear()
        self._note_whether_idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()


def _crafts(broker: dramatiq.Broker, types: Mapping[str, JobType], children: Children) -> dict[str, Craft]:
    signals = Signals(broker)
    return {
        name: Craft(job_type, actor := broker.actors[name], signals, children.apart(actor))
        for name, job_type in types.items()
    }


def _since(moment: float | None) -> float | None:
    return None if moment is None else time.monotonic() - moment
