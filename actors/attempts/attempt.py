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
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import dramatiq
from dramatiq.broker import MessageProxy
from dramatiq.middleware import SkipMessage

from actors.attempts.craft import Craft, Function
from actors.attempts.threads import Threads
from actors.attempts.told import Told
from actors.attempts.verdict import End, Raised, Returned, Stopped, TimedOut
from actors.codec import to_message
from actors.context import Context, current
from actors.deliveries.delivery import Delivery
from actors.ends import PermanentError
from actors.saving import Saving
from actors.sent import Sent
from persistence.attempts.claim import Claim
from wire.errors import Refused

T = TypeVar("T")


class Attempt:
    """One lease of one job in this process."""

    __slots__ = (
        "_abandoned", "_over", "_task", "_why", "claim", "context", "craft", "deadline", "deliveries", "end",
        "finished_at", "message", "seconds", "started_at", "told",
    )  # fmt: skip

    def __init__(
        self, craft: Craft, *, claim: Claim, delivery: Delivery, job: Context, over: Callable[[Attempt], None]
    ) -> None:
        self.craft, self.claim, self.context, self._over = craft, claim, job, over
        self.deliveries = [delivery]  # more than one after a redelivery while it runs
        self.started_at = self.finished_at = datetime.now(UTC)
        self.deadline = time.monotonic() + claim.timeout_seconds
        self._task: asyncio.Task[None] | None = None
        self.end: End = Stopped()
        self.message: MessageProxy | None = None  # once it is decoded
        self.seconds: float | None = None  # that it took on a thread
        self._why: End | None = None
        self._abandoned = False
        self.told: Told | None = None  # where spans are recorded

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

    def start_on(self, threads: Threads) -> None:
        """Begin on a thread, as a sync actor's attempt does."""
        threads.run(self._run_sync, partial(self._over, self))

    def start(self, function: Function, signals: Threads | None) -> None:
        """Begin on the loop; the signals on these threads, if a middleware may block."""
        surroundings = contextvars.copy_context()
        run = self._run_beside(function, signals, surroundings) if signals else self._run(function)
        self._task = asyncio.get_running_loop().create_task(run, context=surroundings)

    def cancel(self, why: End) -> None:
        """Interrupt it at its next await; a sync actor is asked, and a middleware cannot be interrupted."""
        if self._why is None:
            self._why = why
            self.context.asked_to_stop, self.context.out_of_time = True, isinstance(why, TimedOut)
            if self._task is not None and self.context.in_function:
                self._task.cancel()

    def abandon(self, end: End) -> None:
        """Give up on a thread that does not end; the process must end soon after."""
        self._end(end)
        self._abandoned = True

    def let_go(self) -> None:
        """Forget the end, which has been read.

        An error holds its frames, with all that the function had in hand, and they hold this attempt: a circle, that
        only the garbage collector would break, hundreds of failed jobs later.
        """
        self.end = Stopped()

    def _run_sync(self) -> None:
        """The whole attempt, on a thread."""
        began = time.monotonic()
        message = self._begin()
        if message is not None:
            self._finish(message, self._call_sync(message))
        self.seconds = time.monotonic() - began

    def _call_sync(self, message: MessageProxy) -> End:
        self.context.in_function = True
        try:
            end: End = self._why or Returned(self.craft.actor.fn(*message.args, **message.kwargs))
            for sent in self._unheard():
                sent.wait()
        except BaseException as e:  # noqa: BLE001 - it is this attempt's end, recorded; the thread must live
            return Raised(e)  # and no variable: the error has this frame, see `let_go`
        return self._why if isinstance(self._why, TimedOut) else end  # it noticed, and returned what it had: too late

    async def _run(self, function: Function) -> None:
        """The whole attempt, on the loop."""
        try:
            message = self._begin()
            if message is not None:
                self._finish(message, await self._call(function, message))
        finally:
            self._over(self)

    async def _run_beside(self, function: Function, threads: Threads, surroundings: contextvars.Context) -> None:
        """The same with its signals on a thread."""
        try:
            message = await _on_thread(threads, surroundings, self._begin)
            if message is not None:
                end = await self._call(function, message)
                await _on_thread(threads, surroundings, partial(self._finish, message, end))
        finally:
            self._over(self)

    async def _call(self, function: Function, message: MessageProxy) -> End:
        self.context.in_function = True  # here and not on the signals' thread: from now on it can be cancelled
        said = message._message  # asked once: the proxy looks each name up anew
        try:
            end: End = self._why or Returned(await function(*said.args, **said.kwargs))
            for sent in self._unheard():
                await sent
        except asyncio.CancelledError as e:
            return self._why or Raised(e)
        except BaseException as e:  # noqa: BLE001 - it is this attempt's end, recorded; the lane must live
            return Raised(e)  # and no variable: the error has this frame, see `let_go`
        else:
            return end
        finally:
            self.context.in_function = False

    def _begin(self) -> MessageProxy | None:
        """Decode the message and send the signals before; None when that was the end already."""
        current.set(self.context)
        if self.told is not None:
            self.told.enter()
        try:
            message = self.message = MessageProxy(self._message())
        except Refused as e:
            self._end(Raised(PermanentError(str(e))))
            return None
        try:
            self.craft.signals.before(message)
        except SkipMessage:
            self.craft.signals.skipped(message)
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
        plain = self.craft.plain and not message._message.options
        self.craft.signals.after(message, result=result, exception=error, plain=plain)
        message.clear_exception()
        if self.context.unsent is not None:
            end = Raised(self.context.unsent)
        elif message.failed and isinstance(end, Returned):
            end = Raised(PermanentError("a middleware failed the message"))
        self._end(end)

    def _unheard(self) -> list[Sent | Saving]:
        """What it sent or saved without asking what became of it: it has not completed before that is safe."""
        asked: list[Sent | Saving] = [*self.context.sent, *self.context.saved]
        return [one for one in asked if not one.heard]

    def _end(self, end: End) -> None:
        if not self._abandoned:
            self.end, self.finished_at = end, datetime.now(UTC)

    def _message(self) -> dramatiq.Message[Any]:
        return to_message(
            self.craft.actor,
            self.deliveries[0].read(),
            str(self.context.job_id),
            int(self.started_at.timestamp() * 1000),
        )


async def _on_thread(threads: Threads, surroundings: contextvars.Context, call: Callable[[], T]) -> T:
    """Call it on a thread while the task, whose context that is, waits."""
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    answers: list[T] = []
    threads.run(lambda: answers.append(surroundings.run(call)), lambda: answer.set_result(None))
    await answer
    return answers[0]
