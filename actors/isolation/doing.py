"""In a child process: run one attempt after the other, and say how each function ended.

The middleware's signals, the verdict and the record are the worker's; here is only what the author of the job wrote.
An async function has a loop of its own for each attempt, with what the worker's loop has around it, so that nothing of
one attempt is left for the next.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import dramatiq
import uvloop
from msgspec.structs import replace

from actors.attempts.craft import Actor, Function, coroutine_function
from actors.attempts.verdict import Completed, Failed, completed
from actors.context import current, trace_environment
from actors.isolation import memory
from actors.isolation.bounds import most_memory
from actors.isolation.inside import OWN_THREADS, Inside, InsideContext, Telling, inside
from actors.isolation.parent import Parent
from actors.isolation.raised import told
from actors.isolation.said import Ended, Raised, Returned, Run, Unkept
from actors.saving import Saving
from actors.sent import Sent
from wire import strict_json
from wire.lifecycle import Service, running
from wire.settings import Stores
from wire.spans import here

Around = Callable[[], Sequence[Service]]  # what an async function finds on its loop
MB: Final = 1024 * 1024
# Beyond twice the memory: libraries ask for more than they use, above all for the stacks of a thread a processor
ROOM: Final = 1024 * MB + 32 * MB * (os.cpu_count() or 1)


class Doing:
    """All attempts of one child process."""

    def __init__(self, parent: Parent, broker: dramatiq.Broker, around: Around, stores: Stores) -> None:
        self._parent, self._broker, self._around, self._stores = parent, broker, around, stores
        self._lock = threading.Lock()
        self._now: _Attempt | None = None
        self._stopped = 0  # the last attempt that should stop
        parent.stopped = self._stop

    def work(self) -> None:
        """Until there is nothing more to do."""
        folder, environment = os.getcwd(), dict(os.environ)
        while (run := self._parent.next_run()) is not None:
            most_memory(2 * run.most_bytes + ROOM)
            self._parent.say(self._do(run))
            os.chdir(folder)  # a function that moves, moves itself alone
            if os.environ != environment:
                os.environ.clear()
                os.environ.update(environment)

    def _do(self, run: Run) -> Ended:
        before = _at_work()
        try:
            actor = self._broker.get_actor(run.job_type)
        except dramatiq.ActorNotFound:
            words = (
                f"no module of the child process declares {run.job_type}: declare it in one that WARREN_ACTORS names"
            )
            return Raised(run.number, told(RuntimeError(words)))
        attempt = _Attempt(run, actor, self._around, inside(run, self._parent, self._stores))
        with self._lock:
            self._now = attempt
            if self._stopped == run.number:
                attempt.stop()
        ended = contextvars.copy_context().run(attempt.run)
        with self._lock:
            self._now = None
        return replace(ended, leaves=ended.leaves or bool(_at_work() - before))

    def _stop(self, number: int) -> None:
        """Called by the thread that hears the worker."""
        with self._lock:
            self._stopped = number
            if self._now is not None and self._now.number == number:
                self._now.stop()


class _Attempt:
    """One."""

    def __init__(self, run: Run, actor: Actor, around: Around, found: tuple[InsideContext, Inside, Telling]) -> None:
        self._run, self._actor, self._around = run, actor, around
        self.number = run.number
        self._job, self._door, self._telling = found
        self._task: asyncio.Task[Any] | None = None

    def stop(self) -> None:
        """Ask the function to end: an async one is interrupted at its next await."""
        self._job.asked_to_stop = True
        if self._door.loop is not None:
            self._door.loop.call_soon_threadsafe(self._interrupt)

    def run(self) -> Ended:
        job = self._job
        current.set(job)
        job.in_function = True
        os.environ.update(trace_environment())  # the process is this job's alone, until `work` takes it back
        try:
            ended = self._returned(self._call())
        except BaseException as e:  # noqa: BLE001 - it is this attempt's end, and the worker judges it
            ended = Raised(self.number, told(e), leaves=isinstance(e, MemoryError))
        job.in_function = False
        self._telling.end()
        job.close()
        return ended

    def _returned(self, value: object) -> Ended:
        verdict = completed(value)
        if isinstance(verdict, Failed):
            return Unkept(self.number, verdict.trouble.message)
        assert isinstance(verdict, Completed)
        return Returned(self.number, verdict.result, list(self._job.children.values()))

    def _call(self) -> object:
        payload = strict_json.parse(self._run.payload, "payload")
        if function := coroutine_function(self._actor):
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(self._awaited(function, payload))
        if here.spans is not None:
            self._enter()
        value = self._actor.fn(**payload)
        for one in self._unheard():
            one.wait()
        return value

    async def _awaited(self, function: Function, payload: dict[str, Any]) -> object:
        async with running(self._around()):
            if here.spans is not None:
                self._enter()
            self._task, self._door.loop = asyncio.current_task(), asyncio.get_running_loop()
            if self._job.asked_to_stop:  # before it could be interrupted
                self._interrupt()
            try:
                value = await function(**payload)
                for one in self._unheard():
                    await one
            finally:
                await self._door.close()
        return value

    def _interrupt(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()

    def _unheard(self) -> list[Sent | Saving]:
        """As in the worker: it has not completed before what it sent or saved is safe."""
        asked: list[Sent | Saving] = [*self._job.sent, *self._job.saved]
        return [one for one in asked if not one.heard]

    def _enter(self) -> None:
        """What the function records is of this attempt's span, which the worker records."""
        assert here.spans is not None
        place = self._job.trace
        said = place.state, place.baggage
        here.spans.surround(place.trace_id, place.span_id, *said, sampled=place.recorded)


def _at_work() -> set[int | None]:
    """Threads, but for ours, which end by themselves, and processes."""
    threads = (thread.ident for thread in threading.enumerate() if thread.name not in OWN_THREADS)
    processes = (pid for pid in memory.family(os.getpid())[1:] if memory.own(pid))  # one that has ended holds nothing
    return {*threads, *processes}
