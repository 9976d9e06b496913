"""Run one attempt: the middleware signals around the actor's function, its time limit, its end as a value.

Nothing that an actor or a middleware raises leaves this file as an exception: one that escaped would take the lane, and
with it every other job of the process.

A project's own middleware may block, so around an async actor its signals run on a thread, in the context of the
attempt's task: what they set there (a current message, a span) the actor sees.  Ours do not block and stay on the loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

import dramatiq
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Callbacks, CurrentMessage, Middleware, Pipelines, SkipMessage

from actors.codec import to_message
from actors.context import Context, current
from actors.delivery import Delivery
from actors.ends import PermanentError
from actors.sent import Sent
from actors.threads import Threads
from actors.verdict import End, Raised, Returned, Stopped, TimedOut
from persistence.claim import Claim
from persistence.job_types import JobType
from wire import strict_json
from wire.errors import Refused

T = TypeVar("T")
QUICK: Final = (CurrentMessage, Callbacks, Pipelines)  # what they send is kept in memory until the outcome is recorded
Actor = dramatiq.Actor[Any, Any]
Function = Callable[..., Coroutine[Any, Any, Any]]
Aside = Callable[[Callable[[], T]], Coroutine[Any, Any, T]]


def coroutine_function(actor: Actor) -> Function | None:
    """What an async actor runs; Dramatiq wraps it to be called from a thread.  None for a sync actor."""
    wrapped = getattr(actor.fn, "__wrapped__", None)
    return wrapped if asyncio.iscoroutinefunction(wrapped) and not asyncio.iscoroutinefunction(actor.fn) else None


def may_block(middleware: Middleware) -> bool:
    """Whether it does something around an actor that we do not know to be quick."""
    kind = type(middleware)
    signals = ("before_process_message", "after_process_message", "after_skip_message")
    return kind not in QUICK and any(getattr(kind, name) is not getattr(Middleware, name) for name in signals)


class Attempt:
    """One lease of one job in this process."""

    __slots__ = (
        "_abandoned", "_broker", "_task", "_why", "actor", "claim", "context", "deadline", "deliveries", "end",
        "finished_at", "job_type", "message", "started_at",
    )  # fmt: skip

    def __init__(
        self, broker: dramatiq.Broker, job_type: JobType, *, claim: Claim, delivery: Delivery, job: Context
    ) -> None:
        self._broker, self.job_type, self.claim, self.context = broker, job_type, claim, job
        self.actor: Actor = broker.actors[job_type.name]
        self.deliveries = [delivery]  # more than one after a redelivery while it runs
        self.started_at = self.finished_at = datetime.now(UTC)
        self.deadline = time.monotonic() + claim.timeout_seconds
        self._task: asyncio.Task[None] | None = None
        self.end: End = Stopped()
        self.message: MessageProxy | None = None  # once it is decoded
        self._why: End | None = None
        self._abandoned = False

    @property
    def on_thread(self) -> bool:
        """A sync actor's attempt, still running."""
        return self._task is None and not self._abandoned

    @property
    def abandoned(self) -> bool:
        """Its end was decided while its function still runs on a thread; what that returns is nobody's."""
        return self._abandoned

    def owns(self, task: asyncio.Task[Any]) -> bool:
        """Whether this task is the attempt's, or one that its function has started (known from Python 3.12 on)."""
        context_of: Callable[[], contextvars.Context] | None = getattr(task, "get_context", None)
        return task is self._task or (context_of is not None and context_of().get(current) is self.context)

    def start(self, function: Function, signals: Threads | None) -> asyncio.Task[None]:
        """Begin on the loop; the signals on these threads, if a middleware may block."""
        surroundings = contextvars.copy_context()
        aside = partial(_on_thread, signals, surroundings) if signals else _here
        self._task = asyncio.get_running_loop().create_task(self._run(function, aside), context=surroundings)
        return self._task

    def cancel(self, why: End) -> None:
        """Interrupt it at its next await; a sync actor is asked, and a middleware cannot be interrupted."""
        if self._why is None:
            self._why = why
            self.context.asked_to_stop = True
            if self._task is not None and self.context.in_function:
                self._task.cancel()

    def abandon(self, end: End) -> None:
        """Give up on a thread that does not end; the process must end soon after."""
        self._end(end)
        self._abandoned = True

    def run_sync(self) -> None:
        """The whole attempt, on a thread."""
        message = self._begin()
        if message is None:
            return
        self.context.in_function = True
        try:
            end: End = Returned(self.actor.fn(*message.args, **message.kwargs))
            for sent in self._unheard():
                sent.wait()
            if isinstance(self._why, TimedOut):
                end = self._why  # it noticed, and returned what it had: too late
        except BaseException as e:  # noqa: BLE001 - it is this attempt's end, recorded; the thread must live
            end = Raised(e)
        self._finish(message, end)

    async def _run(self, function: Function, aside: Aside[Any]) -> None:
        """The whole attempt, on the loop."""
        message: MessageProxy | None = await aside(self._begin)
        if message is None:
            return
        self.context.in_function = True  # here and not on the signals' thread: from now on it can be cancelled
        try:
            end: End = self._why or Returned(await function(*message.args, **message.kwargs))
            for sent in self._unheard():
                await sent
        except asyncio.CancelledError as e:
            end = self._why or Raised(e)
        except BaseException as e:  # noqa: BLE001 - it is this attempt's end, recorded; the lane must live
            end = Raised(e)
        self.context.in_function = False
        await aside(partial(self._finish, message, end))

    def _begin(self) -> MessageProxy | None:
        """Decode the message and send the signals before; None when that was the end already."""
        current.set(self.context)
        try:
            message = self.message = MessageProxy(self._message())
        except Refused as e:
            self._end(Raised(PermanentError(str(e))))
            return None
        try:
            self._broker.emit_before("process_message", message)
        except SkipMessage:
            self._broker.emit_after("skip_message", message)
            self._end(Raised(PermanentError("a middleware skipped the message")))
        except BaseException as e:  # noqa: BLE001 - a middleware's way to fail the attempt
            self._finish(message, Raised(e))
        else:
            return message
        return None

    def _finish(self, message: MessageProxy, end: End) -> None:
        """Send the signals after.  Dramatiq swallows what they raise, so a send that failed in one is asked for."""
        self.context.in_function = False
        error = end.error if isinstance(end, Raised) else None
        result = end.value if isinstance(end, Returned) else None
        if error is not None:
            message.stuff_exception(error)
        self._broker.emit_after("process_message", message, result=result, exception=error)
        message.clear_exception()
        if self.context.unsent is not None:
            end = Raised(self.context.unsent)
        elif message.failed and isinstance(end, Returned):
            end = Raised(PermanentError("a middleware failed the message"))
        self._end(end)

    def _unheard(self) -> list[Sent]:
        """What it sent by `submit_now` without asking what became of it: it has not completed before that is safe."""
        return [sent for sent in self.context.sent if not sent.heard]

    def _end(self, end: End) -> None:
        if not self._abandoned:
            self.end, self.finished_at = end, datetime.now(UTC)

    def _message(self) -> dramatiq.Message[Any]:
        body = strict_json.parse(self.deliveries[0].message.body)
        return to_message(self.actor, body, str(self.context.job_id), int(self.started_at.timestamp() * 1000))


async def _here(call: Callable[[], T]) -> T:
    return call()


async def _on_thread(threads: Threads, surroundings: contextvars.Context, call: Callable[[], T]) -> T:
    """Call it on a thread while the task, whose context that is, waits."""
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    answers: list[T] = []
    threads.run(lambda: answers.append(surroundings.run(call)), lambda: answer.set_result(None))
    await answer
    return answers[0]
